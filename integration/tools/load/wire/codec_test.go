package wire

import (
	"encoding/json"
	"strings"
	"testing"
)

const run = "ABCD2345"

func TestRequest(t *testing.T) {
	got := string(NewCodec(run, 90, Service).AppendSend(nil, Stamp{N: 12, Due: 3_000_000, Sent: 3_000_017}))
	want := `{"action":"sendMessage","content":{"run":"ABCD2345","n":12,"due":3000000,"sent":3000017,` +
		`"pad":"xxxxxxxxxxxxxxxxxxxxxxxxxxx"},"ref":"12"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The content has the requested size, whatever the numbers in it.
func TestContentSize(t *testing.T) {
	for _, size := range []int{MinSize, 100, MaxSize} {
		for _, s := range []Stamp{{}, {N: 1}, {N: 1e9 - 1, Due: 1e11 - 1, Sent: 1e11 - 1}} {
			request := NewCodec(run, size, Service).AppendSend(nil, s)
			var r struct{ Content json.RawMessage }
			if err := json.Unmarshal(request, &r); err != nil || len(r.Content) != size {
				t.Errorf("%+v: content of %d bytes, want %d (%v)", s, len(r.Content), size, err)
			}
			if len(request) > 32<<10 || len(envelope(string(r.Content))) > 32<<10 {
				t.Errorf("%+v: a content of %d bytes does not fit API Gateway's frames", s, size)
			}
		}
	}
}

// envelope is the service's frame with the contents.
func envelope(contents ...string) []byte {
	var messages []string
	for _, c := range contents {
		messages = append(messages, `{"content":`+c+`,"id":"01M824WEW2TJW619M0N8F46NRZ","sentAt":"2026-11-22T17:29:25.634Z"}`)
	}
	return []byte(`{"messages":[` + strings.Join(messages, ",") + `]}`)
}
