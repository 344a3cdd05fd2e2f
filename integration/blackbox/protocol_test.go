package blackbox

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func ping(t *testing.T, tg *target) {
	response, err := http.Get(tg.httpURL + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || string(body) != "PONG!" {
		t.Errorf("got %d %q, %v; want 200 PONG!", response.StatusCode, body, err)
	}
}

// oddContents are JSON values that decoding and encoding would change.
var oddContents = []string{
	`"서버리스 웹소켓 API 테스트"`,
	`"😀 👩‍👩‍👧‍👦 é"`,
	`"<b title=\"a\">&amp;</b>"`,
	`"\u003c \uD55c \ud83d\ude00 \/ \u0000"`,
	"\"\u2028 \u2029 \ufeff\"",
	`12345678901234567890123456789.000E-7`,
	`-0.0`,
	`false`,
	`0`,
	`{}`,
	`[ ]`,
	`{ "b" : 1,	"a":[ 1 , 2 ], "b":` + "\r\n" + `null }`,
}

func contentByteForByte(t *testing.T, tg *target) {
	sender, receiver := dial(t, tg), dial(t, tg)
	for _, content := range oddContents {
		a := sender.broadcast(content)
		got, err := receiver.frameOf(a.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"messages":[{"content":` + content + `,"id":"` + a.ID + `",`
		rest, ok := strings.CutPrefix(got, want)
		members := tg.afterID().FindStringSubmatch(rest)
		if !ok || members == nil {
			t.Errorf("got  %s\nwant %s and %s", got, want, tg.afterID())
			continue
		}
		stamp := members[1]
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", stamp); err != nil {
			t.Errorf("sentAt: %v", err)
		}
	}
}

// afterID matches the end of a frame with one message for everyone. The group is the time.
func (tg *target) afterID() *regexp.Regexp {
	if tg.keepsNothing {
		return regexp.MustCompile(`^"sentAt":"([^"]+)"}]}$`)
	}
	return regexp.MustCompile(`^"seq":[1-9][0-9]*,"sentAt":"([^"]+)"}],"channel":"everyone","epoch":"[0-9a-z]+"}$`)
}

// frameOf reads until a frame with only that message. Before it, a message that was
// posted twice may arrive again.
func (c *client) frameOf(id string) (string, error) {
	for {
		f, err := c.read()
		if err != nil || strings.Contains(f, `,"id":"`+id+`",`) {
			return f, err
		}
	}
}

func refIsEchoed(t *testing.T, tg *target) {
	c := dial(t, tg)
	for _, ref := range []string{"tag-1", "한글 <&>", strings.Repeat("r", 128)} {
		c.send(fmt.Sprintf(`{"action":"sendMessage","content":1,"ref":%q}`, ref))
		if f, err := c.reply(); err != nil || f.Accepted == nil || f.Accepted.Ref != ref {
			t.Errorf("accepted: got %+v, %v; want ref %q", f.Accepted, err, ref)
		}
		c.send(fmt.Sprintf(`{"action":"sendMessage","ref":%q}`, ref))
		if f, err := c.reply(); err != nil || f.Error == nil || f.Error.Ref != ref {
			t.Errorf("error: got %+v, %v; want ref %q", f.Error, err, ref)
		}
	}
}

func errorReplies(t *testing.T, tg *target) {
	const (
		unknownAction  = "Unrecognized WebSocket action."
		missingContent = "'content' not in message dict"
	)
	// Fits a message, but not with the envelope's id and time.
	tooLarge := sendTemplate + quoted(maxMessage-len(sendTemplate)-3) + "}"
	if !tg.keepsNothing {
		tooLarge = sendTemplate + quoted(96<<10) + "}"
	}
	sender, bystander := dial(t, tg), dial(t, tg)
	seen := map[string]bool{}
	for _, row := range []struct{ frame, code, message string }{
		{`hello`, "invalid_json", ""},
		{`{"action":"sendMessage","content":"a"`, "invalid_json", ""},
		{`{"action":"sendMessage","content":01}`, "invalid_json", ""},
		{`["sendMessage"]`, "not_an_object", ""},
		{`"sendMessage"`, "not_an_object", ""},
		{`null`, "not_an_object", ""},
		{`{}`, "unknown_action", unknownAction},
		{`{"action":"SendMessage","content":"a"}`, "unknown_action", unknownAction},
		{`{"action":7,"content":"a"}`, "unknown_action", unknownAction},
		{`{"Action":"sendMessage","content":"a"}`, "unknown_action", unknownAction},
		{`{"action":"sendMessage","content":"a","ref":7}`, "invalid_ref", ""},
		{`{"action":"sendMessage","content":"a","ref":null}`, "invalid_ref", ""},
		{`{"action":"sendMessage","content":"a","ref":` + quoted(129) + `}`, "invalid_ref", ""},
		{`{"action":"sendMessage"}`, "missing_content", missingContent},
		{`{"action":"sendMessage","Content":"a"}`, "missing_content", missingContent},
		{`{"action":"sendMessage","content":null}`, "blank_content", ""},
		{`{"action":"sendMessage","content":""}`, "blank_content", ""},
		{`{"action":"sendMessage","content":" \t\n\u3000"}`, "blank_content", ""},
		{tooLarge, "content_too_large", ""},
	} {
		if err := sender.sendFragments(row.frame); err != nil {
			t.Fatal(err)
		}
		f, err := sender.reply()
		if err != nil || f.Error == nil {
			t.Fatalf("%.60s: got %+v, %v", row.frame, f, err)
		}
		if f.Error.Code != row.code || f.Error.Message == "" || f.Error.Ref != "" {
			t.Errorf("%.60s: got %+v, want code %s", row.frame, *f.Error, row.code)
		}
		if row.message != "" && f.Error.Message != row.message {
			t.Errorf("%.60s: message %q, want %q", row.frame, f.Error.Message, row.message)
		}
		if id := f.Error.RequestID; id == "" || seen[id] {
			t.Errorf("%.60s: request id %q is empty or not new", row.frame, id)
		}
		seen[f.Error.RequestID] = true
	}
	sender.broadcast(`"the socket is open"`)
	for _, c := range []*client{sender, bystander} {
		if before, err := c.until(`"the socket is open"`); err != nil || len(before) > 0 {
			t.Errorf("a refused frame was delivered: %q, %v", before, err)
		}
	}
}

func framesOverTheLimits(t *testing.T, tg *target) {
	bystander := dial(t, tg)
	for _, row := range []struct {
		name string
		send func(*client) error
		want websocket.StatusCode
	}{
		{"frame", func(c *client) error { return c.trySend(quoted(33 << 10)) }, websocket.StatusMessageTooBig},
		{"message", func(c *client) error { return c.sendFragments(quoted(maxMessage)) }, websocket.StatusMessageTooBig},
		{"not UTF-8", func(c *client) error { return c.trySend("\"\xff\"") }, websocket.StatusInvalidFramePayloadData},
		{"binary", func(c *client) error {
			return c.ws.Write(t.Context(), websocket.MessageBinary, []byte("{}"))
		}, websocket.StatusUnsupportedData},
	} {
		c := dial(t, tg)
		if err := row.send(c); err != nil {
			t.Logf("%s: closed while sending: %v", row.name, err)
		}
		if code := c.awaitClose(); code != row.want {
			t.Errorf("%s: closed with %d, want %d", row.name, code, row.want)
		}
	}
	if a := bystander.broadcast(`1`); a.ID == "" {
		t.Error("accepted without an id")
	}
}

func largeMessage(t *testing.T, tg *target) {
	sender, receiver := dial(t, tg), dial(t, tg)
	content := quoted(95 << 10)
	if tg.keepsNothing {
		content = quoted(127 << 10)
	}
	if err := sender.sendFragments(sendTemplate + content + "}"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{sender, receiver} {
		m, err := c.message()
		if err != nil || string(m.Content) != content {
			t.Errorf("got %d bytes, %v; want %d", len(m.Content), err, len(content))
		}
	}
}

func logTrail(t *testing.T, tg *target) {
	const receivers = 5
	sender := dial(t, tg)
	for range receivers - 1 {
		dial(t, tg)
	}
	a := sender.broadcast(`"follow me"`)
	tg.logs.await(t, "accepted", "messageId", a.ID)
	summary := tg.logs.await(t, "fanned out", "messageIds", a.ID)
	for _, key := range []string{"gone", "failed", "requeued", "durationMs"} {
		if _, ok := summary[key]; !ok {
			t.Errorf("the summary has no %q: %v", key, summary)
		}
	}
	tg.wantDelivered(t, a.ID, receivers)
}
