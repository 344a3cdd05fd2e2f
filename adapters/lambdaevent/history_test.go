package lambdaevent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// odd is content that decoding and encoding would change.
const odd = `{ "b":1,  "a":"<&\u2028 ` + "\u2028" + `\/"}`

// messageLog is one log for all channels.
type messageLog struct {
	messages []domain.Message
	err      error
}

func newMessageLog() *messageLog {
	l := &messageLog{}
	for i, content := range []string{`1`, odd, `"<x>"`, `4`} {
		l.messages = append(l.messages, domain.Message{
			ID: domain.MessageID(fmt.Sprintf("01K4ZQ%020d", i+1)), SentAt: time.Unix(1795338000, 0), Sender: "<eve>",
			Content: domain.Content(content), Seq: int64(i) + 1,
		})
	}
	return l
}

func (l *messageLog) Append(context.Context, domain.Recipients, []domain.Message, bool) ([]ports.Entry, error) {
	return nil, errors.New("not for handlers")
}

func (l *messageLog) End(context.Context, domain.Recipients) (domain.Position, error) {
	return domain.Position{Epoch: "k3", Seq: l.messages[len(l.messages)-1].Seq}, l.err
}

func (l *messageLog) After(_ context.Context, _ domain.Recipients, from domain.Position, _ int) (ports.Stretch, error) {
	if from.Epoch != "k3" || from.Seq > int64(len(l.messages)) {
		return ports.Stretch{}, ports.ErrReset
	}
	end, _ := l.End(context.Background(), domain.Recipients{})
	return ports.Stretch{Epoch: "k3", Messages: l.messages[from.Seq:], Position: end}, l.err
}

func (l *messageLog) Before(_ context.Context, _ domain.Recipients, from domain.Position, limit, _ int) (ports.Stretch, error) {
	some := l.messages
	if from != (domain.Position{}) {
		some = some[:min(max(0, from.Seq-1), int64(len(some)))]
	}
	more := len(some) > limit
	return ports.Stretch{Epoch: "k3", Messages: some[max(0, len(some)-limit):], More: more}, l.err
}

// request sends alice's frame by a route.
func (f *functions) request(t *testing.T, route, body string) events.APIGatewayProxyResponse {
	t.Helper()
	event := signedIn(body)
	event.RequestContext.RouteKey = route
	response, err := f.useCases.Routes()[route].Handler(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestHistoryFrames(t *testing.T) {
	for _, test := range []struct {
		route, body string
		status      int
		reply       string
	}{
		{"resume", `{"positions":{"everyone":"k3.3"},"ref":"<r>"}`, 200, `{"resumed":{"everyone":{"recovered":true,"position":"k3.4","messages":[{"content":4,`},
		{"resume", `{"positions":{"everyone":"k3.3"},"ref":"<r>"}`, 200, `,"user":{"position":"k3.4"},"room:goals":{"position":"k3.4"}},"ref":"<r>"}`},
		{"resume", `{"positions":{"everyone":"k3.4"}}`, 200, `"everyone":{"recovered":true,"position":"k3.4","messages":[]}`},
		{"resume", `{"positions":{"everyone":"k4.4"}}`, 200, `"everyone":{"recovered":false,"reason":"reset","position":"k3.4"}`},
		{"resume", `{"positions":{}}`, 200, `{"resumed":{"everyone":{"position":"k3.4"},"user":{"position":"k3.4"},"room:goals":{"position":"k3.4"}}}`},
		{"resume", `{}`, 200, `{"resumed":{"everyone":{"position":"k3.4"},`},
		{"resume", `{"positions":{"everyone":7,"everyone":"k3.4"}}`, 200, `"everyone":{"recovered":true`},
		{"resume", `{"positions":{"room\u003agoals":"k3.\u0034"}}`, 200, `"room:goals":{"recovered":true`},
		{"resume", `{"positions":{"everyone":"k3.4","everyone":null}}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":null,"ref":"r"}`, 400, `"ref":"r"}}`},
		{"resume", `{"positions":null}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":"k3.4"}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":["k3.4"]}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":{"everyone":4}}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":{"everyone":""}}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":{"everyone":"k3.04"}}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":{"user:bob":"k3.4"}}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":{"room:\ud800":"k3.4"}}`, 400, `"code":"invalid_position"`},
		{"resume", `{"positions":{},"ref":7}`, 400, `"code":"invalid_ref"`},

		{"loadMessages", `{"limit":1}`, 200, `{"loaded":{"messages":[{"content":4,"id":"01K4ZQ00000000000000000004","seq":4,`},
		{"loadMessages", `{"limit":1,"ref":"<r>"}`, 200, `],"position":"k3.4","more":true,"ref":"<r>"}}`},
		{"loadMessages", `{"room":"goals","before":"k3.2","after":7,"x":1}`, 200, `}],"position":"k3.1"}}`},
		{"loadMessages", `{"before":"k3.1"}`, 200, `{"loaded":{"messages":[],"position":"k3.1"}}`},
		{"loadMessages", `{"limit":"1"}`, 400, `"code":"invalid_page"`},
		{"loadMessages", `{"limit":null}`, 400, `"code":"invalid_page"`},
		{"loadMessages", `{"limit":101}`, 400, `"code":"invalid_page"`},
		{"loadMessages", `{"before":null}`, 400, `"code":"invalid_position"`},
		{"loadMessages", `{"before":4}`, 400, `"code":"invalid_position"`},
		{"loadMessages", `{"room":null}`, 400, `"code":"invalid_room"`},
		{"loadMessages", `{"room":7}`, 400, `"code":"invalid_room"`},
		{"loadMessages", `{"room":""}`, 400, `"code":"invalid_room"`},
		{"loadMessages", `[]`, 400, `"code":"not_an_object"`},
	} {
		f := newFunctions()
		response := f.request(t, test.route, test.body)
		if response.StatusCode != test.status || !strings.Contains(response.Body, test.reply) || !json.Valid([]byte(response.Body)) {
			t.Errorf("%s %s: %d %s", test.route, test.body, response.StatusCode, response.Body)
		}
		if log := f.log.String(); strings.Contains(log, `"ERROR"`) {
			t.Errorf("%s %s: logged %s", test.route, test.body, log)
		}
	}
}

// Without a limit there are 50 messages.
func TestLoadMessagesWithoutALimit(t *testing.T) {
	f := newFunctions()
	for range 60 {
		m := f.kept.messages[0]
		m.Seq = int64(len(f.kept.messages)) + 1
		f.kept.messages = append(f.kept.messages, m)
	}
	if response := f.request(t, "loadMessages", `{}`); strings.Count(response.Body, `"seq":`) != 50 {
		t.Error(response.Body)
	}
}

func TestContentComesBackAsItWasSent(t *testing.T) {
	f := newFunctions()
	want := string(f.kept.messages[1].AppendJSON(nil))
	if !strings.Contains(want, odd) {
		t.Fatal(want)
	}
	for route, body := range map[string]string{"resume": `{"positions":{"room:goals":"k3.1"}}`, "loadMessages": `{"room":"goals"}`} {
		if response := f.request(t, route, body); !strings.Contains(response.Body, want) {
			t.Errorf("%s: %s, want %s", route, response.Body, want)
		}
	}
}

func TestAServiceThatKeepsNoMessages(t *testing.T) {
	f := newFunctions()
	f.useCases.Past.Log = nil
	for route, body := range map[string]string{"resume": `{"ref":"r"}`, "loadMessages": `{"ref":"r"}`} {
		response := f.request(t, route, body)
		if response.StatusCode != 404 || !strings.Contains(response.Body, `"code":"no_history"`) || !strings.HasSuffix(response.Body, `"ref":"r"}}`) {
			t.Errorf("%s: %d %s", route, response.StatusCode, response.Body)
		}
	}
	if response := f.request(t, "joinRoom", `{"room":"goals"}`); response.Body != `{"joined":{"room":"goals"}}` {
		t.Error(response.Body)
	}
}

// A log that is down keeps nobody out of a room.
func TestALogThatIsDown(t *testing.T) {
	f := newFunctions()
	f.kept.err = errors.New("arn:aws:dynamodb:secret")
	for _, body := range []string{`{"positions":{"everyone":"k3.3"}}`, `{}`} {
		if response := f.request(t, "resume", body); response.StatusCode != 503 || strings.Contains(response.Body, "secret") {
			t.Errorf("%s: %d %s", body, response.StatusCode, response.Body)
		}
	}
	f = newFunctions()
	f.kept.err = errors.New("arn:aws:dynamodb:secret")
	if response := f.request(t, "joinRoom", `{"room":"goals"}`); response.Body != `{"joined":{"room":"goals"}}` {
		t.Error(response.Body)
	}
	if log := f.log.String(); !strings.Contains(log, "secret") || strings.Contains(log, `"ERROR"`) {
		t.Errorf("logged %s", log)
	}
}

// An answer fits a frame, and a message of any size that is kept fits an answer.
func TestTheLargestAnswer(t *testing.T) {
	names := []string{`"everyone":"k3.1"`, `"user":"k3.1"`}
	for i := range 100 {
		names = append(names, fmt.Sprintf(`"room:%0128d":"0123456789abcdef.1"`, i))
	}
	body := `{"positions":{` + strings.Join(names, ",") + `},"ref":"` + strings.Repeat(`\u003c`, domain.MaxRef) + `"}`
	for size, limit := range map[int]int{500: 32 << 10, domain.MaxLogged: domain.MaxPayload} {
		f := newFunctions()
		m := f.kept.messages[0]
		m.Content = domain.Content(strings.Repeat("1", size-domain.EnvelopeSize(domain.ToEveryone(), "", m)+len(m.Content)))
		for f.kept.messages = nil; len(f.kept.messages) < 100; {
			m.Seq = int64(len(f.kept.messages)) + 1
			f.kept.messages = append(f.kept.messages, m)
		}
		response := f.request(t, "resume", body)
		if response.StatusCode != 200 || len(response.Body) > limit || !strings.Contains(response.Body, string(m.Content)) {
			t.Errorf("%d bytes of messages of %d: %.500s", len(response.Body), size, response.Body)
		}
	}
}

// Every frame gets a JSON reply with the frame's own ref, and what is in the log as it is.
func FuzzHistory(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"positions":{"everyone":"k3.1","room:goals":"k3.2","user":"old.1","room:x":"k3.1"},"ref":"<"}`, `{"positions":[]}`, `{"positions":`,
		`{"positions":{"everyone":"k3.1","everyone":null}}`, `{"positions":{"user":"sjyb5s.0"}}`, `{"limit":1,"before":"k3.3","room":"goals"}`,
		`{"limit":2,"before":"01K4ZQ0000000000000000000C","with":"<bob>","ref":""}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		functions := newFunctions()
		for _, route := range []string{"resume", "loadMessages"} {
			functions.log.Reset()
			reply := functions.request(t, route, body).Body
			if alarms := functions.alarms(t); len(alarms) > 0 {
				t.Fatalf("%s %q: %s", route, body, alarms)
			}
			var outer map[string]json.RawMessage
			if err := json.Unmarshal([]byte(reply), &outer); err != nil || !utf8.ValidString(reply) {
				t.Fatalf("%s %q: reply %s, %v", route, body, reply, err)
			}
			if strings.Count(reply, `"seq":2,`) != strings.Count(reply, odd) {
				t.Fatalf("%s %q: %s", route, body, reply)
			}
			if ref, ok := outer["ref"]; ok {
				var sent map[string]json.RawMessage
				if err := json.Unmarshal([]byte(body), &sent); err != nil || string(sent["ref"]) != string(ref) {
					t.Fatalf("%q: ref was returned as %q", body, ref)
				}
				continue
			}
			if _, resumed := outer["resumed"]; !resumed {
				checkReply(t, body, reply)
			}
		}
	})
}
