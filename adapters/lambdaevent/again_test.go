package lambdaevent_test

import (
	"strings"
	"testing"

	"serverless-websocket/domain"
)

// What a client sends again is accepted if the log can find out whether it is a repeat.
func TestFramesThatAreSentAgain(t *testing.T) {
	const job = `,"ref":"r","again":true,"content":"1"}]}`
	for _, test := range []struct {
		name, body        string
		anonymous, logged bool
		reply, queued     string // what they hold
	}{
		{"again", `{"content":1,"ref":"r","again":true}`, false, true, `"ref":"r"}}`, job},
		{"to a user", `{"content":1,"to":"bob","ref":"r","again":true}`, false, true, `"ref":"r"}}`, job},
		{"an escaped ref", `{"content":1,"ref":"\u0072","again":true}`, false, true, `"ref":"\u0072"}}`, job},
		{"the last counts", `{"content":1,"ref":"r","again":7,"again":true}`, false, true, `"ref":"r"}}`, job},
		{"a first try", `{"content":1,"ref":"r","again":false}`, false, true, `"ref":"r"}}`, `,"ref":"r","content":"1"}]}`},
		{"without a ref", `{"content":1,"again":false}`, false, true, acceptedReply, `"sender":"alice","content":"1"}]}`},
		{"a ref that cannot be told apart", `{"content":1,"ref":"\ud800"}`, false, true, `"ref":"\ud800"}}`, `"sender":"alice","content":"1"}]}`},
		{"a ref when nothing is kept", `{"content":1,"ref":"r","again":false}`, false, false, `"ref":"r"}}`, `"sender":"alice","content":"1"}]}`},
		{"the ref of a stranger", `{"content":1,"ref":"r","again":false}`, true, true, `"ref":"r"}}`, `123,"content":"1"}]}`},

		{"again without a ref", `{"content":1,"again":true}`, false, true, `"code":"invalid_again"`, ""},
		{"with an empty one", `{"content":1,"ref":"","again":true}`, false, true, `"code":"invalid_again"`, ""},
		{"with one that cannot be told apart", `{"content":1,"ref":"\ud800","again":true}`, false, true, `"code":"invalid_again"`, ""},
		{"null", `{"content":1,"ref":"r","again":null}`, false, true, `"code":"invalid_again"`, ""},
		{"a number", `{"content":1,"ref":"r","again":1}`, false, true, `"code":"invalid_again"`, ""},
		{"a string", `{"content":1,"ref":"r","again":"true"}`, true, true, `"code":"invalid_again"`, ""},
		{"when nothing is kept", `{"content":1,"ref":"r","again":true}`, false, false, `"code":"no_history"`, ""},
		{"by a stranger", `{"content":1,"ref":"r","again":true}`, true, true, `"code":"unauthenticated"`, ""},
		{"by a stranger when nothing is kept", `{"content":1,"ref":"r","again":true}`, true, false, `"code":"no_history"`, ""},
		{"in another case", `{"content":1,"ref":"r","Again":true}`, false, true, `"code":"invalid_recipient"`, ""},
	} {
		f := newFunctions()
		f.useCases.Publisher.Logged = test.logged
		event := signedIn(test.body)
		if test.anonymous {
			event = message(test.body)
		}
		response, err := f.send.Handle(t.Context(), event)
		if err != nil || !strings.Contains(response.Body, test.reply) {
			t.Errorf("%s: %d %s, error %v", test.name, response.StatusCode, response.Body, err)
		}
		queued := strings.Join(f.queue.bodies, "\n")
		if (queued != "") != (test.queued != "") || !strings.HasSuffix(withoutTime(queued), test.queued) {
			t.Errorf("%s: queued %s", test.name, queued)
		}
	}
}

// withoutTime replaces the end of the time in a job.
func withoutTime(body string) string {
	at := strings.Index(body, `"sentAt":`) + len(`"sentAt":1795338000`)
	if body == "" || len(body) < at+3 {
		return body
	}
	return body[:at] + "123" + body[at+3:]
}

// Every job of a frame can be read by a worker, and says no more of a ref than it must.
func TestRefsReachTheWorker(t *testing.T) {
	f := newFunctions()
	f.useCases.Publisher.Logged = true
	ref := strings.Repeat("r", domain.MaxRef)
	if _, err := f.send.Handle(t.Context(), signedIn(`{"content":1,"to":"bob","ref":"`+ref+`","again":true}`)); err != nil {
		t.Fatal(err)
	}
	job, err := domain.DecodeJob(f.queue.bodies[0])
	if err != nil || job.Messages[0].Ref != ref || !job.Messages[0].Again || !job.Echo {
		t.Errorf("%+v, %v", job, err)
	}
}
