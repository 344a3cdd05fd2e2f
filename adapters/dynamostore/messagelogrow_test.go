package dynamostore

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"serverless-websocket/domain"
)

// FuzzDecodeMessages: whatever a body is, reading it does not panic, and what was read is
// written in the same way, unless a number was longer than it need be.
func FuzzDecodeMessages(f *testing.F) {
	m := domain.Message{ID: "01K4ZQ0000000000000000000A", SentAt: time.UnixMilli(1795338000123), Sender: "김", To: "b", Content: domain.Content(`"x"`)}
	body := encodeMessages([]domain.Message{m, m})
	f.Add(body)
	f.Add(body[:len(body)-1])
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		messages, err := decodeMessages(body)
		if err != nil {
			return
		}
		again := encodeMessages(messages)
		if len(again) > len(body) || len(again) == len(body) && !bytes.Equal(again, body) {
			t.Errorf("%q became %q", body, again)
		}
	})
}

// A process that appends to very many channels forgets some.
func TestEndsAreBounded(t *testing.T) {
	e, now := ends{of: make(map[domain.Recipients]logEnd)}, time.Now()
	end := logEnd{Seq: 1, End: 2, Epoch: "abc", ValidUntil: now.Add(time.Minute).Unix()}
	for i := range maxEnds + 10 {
		to := domain.ToRoom(fmt.Sprint(i))
		e.set(to, end)
		e.set(to, end)
		if got, ok := e.get(to, now); !ok || got != end {
			t.Fatalf("the end of %s is %+v, %v", to, got, ok)
		}
	}
	if len(e.of) != maxEnds {
		t.Errorf("%d ends are remembered, want %d", len(e.of), maxEnds)
	}
	e.set(domain.ToEveryone(), end)
	if _, ok := e.get(domain.ToEveryone(), now.Add(time.Minute)); ok {
		t.Error("the end is used though its row has expired")
	}
}
