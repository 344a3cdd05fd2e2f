package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"serverless-websocket/integration/tools/load/report"
)

// history is the log of a service, and what it does wrong.
type history struct {
	deaf    func(n, connection int) bool // is not delivered; nil for none
	twice   func(n int) bool             // gets a second number and id; nil for none
	hole    int                          // the number that is in no answer
	forgets bool                         // all but the newest ten
	answer  func(request int) string     // in place of the right one, unless it is empty; nil for none

	log      []string // messages, from number 1 on
	requests int
}

// answered is how many messages an answer has.
const answered = 4

func (h *history) deliver(conns []net.Conn, n int, content string) {
	times := 1
	if h.twice != nil && h.twice(n) {
		times = 2
	}
	for range times {
		seq := len(h.log) + 1
		h.log = append(h.log, fmt.Sprintf(`{"content":%s,"id":"id%d","seq":%d}`, content, seq, seq))
		for i, one := range conns {
			if h.deaf == nil || !h.deaf(n, i) {
				write(one, fmt.Sprintf(`{"messages":[%s],"channel":"everyone","epoch":"k3"}`, h.log[seq-1]))
			}
		}
	}
}

func (h *history) resume(position string) string {
	if h == nil {
		return `{"error":{"code":"no_history","ref":"resume"}}`
	}
	h.requests++
	if h.answer != nil {
		if text := h.answer(h.requests); text != "" {
			return text
		}
	}
	return `{"resumed":{"everyone":{` + h.after(position) + `}},"ref":"resume"}`
}

// after is an answer about the channel.
func (h *history) after(position string) string {
	newest := fmt.Sprintf(`"position":"k3.%d"`, len(h.log))
	from, err := strconv.Atoi(strings.TrimPrefix(position, "k3."))
	switch {
	case err != nil:
		return newest
	case h.forgets && from < len(h.log)-10:
		return `"recovered":false,"reason":"expired",` + newest
	}
	to := min(from+answered, len(h.log))
	var messages []string
	for seq := from + 1; seq <= to; seq++ {
		if seq != h.hole {
			messages = append(messages, h.log[seq-1])
		}
	}
	return fmt.Sprintf(`"recovered":true,"position":"k3.%d","more":%v,"messages":[%s]`,
		to, to < len(h.log), strings.Join(messages, ","))
}

// resuming runs the scenario against a log: fifteen seconds, longer than a client waits
// for what is missing, and ten clients.
func resuming(t *testing.T, h *history, args ...string) report.Report {
	t.Helper()
	always := []string{"-scenario", "resume", "-clients", "10", "-broadcasts", "150", "-rate", "10", "-drain", "1m"}
	return virtually(t, &pipes{handle: func(*pipes, int) {}, history: h}, append(always, args...)...)
}

// still are settings with which no client is cut.
var still = []string{"-resume-share", "0"}

// notTo5 does not deliver a broadcast to one of the connections.
func notTo5(n int) func(n, connection int) bool {
	return func(one, connection int) bool { return one == n && connection == 5 }
}

// wantAll requires that each client handed each broadcast on, once.
func wantAll(t *testing.T, r report.Report) {
	t.Helper()
	if d := r.Deliveries; d.Delivered != 1500 || d.Lost+d.Duplicated+d.OutOfOrder+d.Unreadable+d.MissedAway != 0 {
		t.Errorf("%+v", d)
	}
}

// Five of nine listeners are cut each second. They are away long enough for more than one
// answer.
func TestResume(t *testing.T) {
	r := resuming(t, &history{}, "-resume-share", "0.5", "-resume-every", "1s", "-resume-away", "600ms")
	wantAll(t, r)
	const cuts = 14 * 5
	got := r.Resume
	if c := r.Connections; r.Failure != "" || c.Reconnects != cuts || len(c.Closed) != 0 {
		t.Errorf("%q, %+v", r.Failure, c)
	}
	if got.Cuts != cuts || got.Resumes != cuts || got.Latency.Count != cuts || got.ToldLost != 0 || got.Gaps != 0 {
		t.Errorf("%+v", got)
	}
	if got.Recovered < cuts*2 || got.Recovered > cuts*10 {
		t.Errorf("%d recovered", got.Recovered)
	}
	if live := 1500 - got.Recovered; r.FromSchedule.Count != live {
		t.Errorf("latencies of %d deliveries, want those of %d", r.FromSchedule.Count, live)
	}
}

// A broadcast that does not come live is recovered: when the next one has shown that it is
// missing, or at the end.
func TestResumeFindsGaps(t *testing.T) {
	for n, gaps := range map[int]int{20: 1, 149: 0} {
		r := resuming(t, &history{deaf: notTo5(n)}, still...)
		wantAll(t, r)
		if r.Failure != "" || r.Resume.Gaps != gaps || r.Resume.Recovered != 1 || r.Resume.Cuts != 0 {
			t.Errorf("without %d: %q, %+v", n, r.Failure, r.Resume)
		}
	}
}

// What the service has numbered and does not deliver is lost, and so is what follows, which
// clients hold back.
func TestResumeFindsLosses(t *testing.T) {
	r := resuming(t, &history{deaf: notTo5(146), hole: 147}, still...)
	if d := r.Deliveries; d.Lost != 4 || d.Delivered != 1496 || r.Resume.ToldLost != 0 {
		t.Errorf("%+v, %+v", d, r.Resume)
	}
}

// What the service says is lost is lost as well.
func TestResumeIsToldOfLosses(t *testing.T) {
	r := resuming(t, &history{forgets: true, deaf: notTo5(20)}, still...)
	if d := r.Deliveries; d.Lost != 1 || d.Delivered != 1499 || r.Resume.ToldLost != 1 || r.Failure != "" {
		t.Errorf("%+v, %+v, %q", d, r.Resume, r.Failure)
	}
}

// A broadcast that the service takes for two is handed on twice.
func TestResumeFindsDoubles(t *testing.T) {
	r := resuming(t, &history{twice: func(n int) bool { return n == 20 }}, still...)
	d := r.Deliveries
	if r.Failure != "10 broadcasts handed on twice" || d.Duplicated != 10 || d.Lost != 0 {
		t.Errorf("%q, %+v", r.Failure, d)
	}
}

// The first client finds out that there is no history, and the others do not connect.
func TestResumeWithoutHistory(t *testing.T) {
	r := resuming(t, nil)
	if r.Failure != errNoHistory.Error() || r.Broadcasts.Sent != 0 || r.Resume.Refused[noHistory] != 1 {
		t.Errorf("%q, %+v, %+v", r.Failure, r.Broadcasts, r.Resume)
	}
}

// Clients ask again after a refusal, which fails the run.
func TestResumeRefused(t *testing.T) {
	for text, code := range map[string]string{
		`{"error":{"code":"unavailable","ref":"resume"}}`: "unavailable",
		`{"message":"Internal server error"}`:             "Internal server error",
	} {
		r := resuming(t, &history{answer: func(request int) string {
			if request == 5 {
				return text
			}
			return ""
		}}, still...)
		wantAll(t, r)
		if r.Failure != "1 resume refused" || r.Resume.Refused[code] != 1 {
			t.Errorf("%s: %q, %+v", code, r.Failure, r.Resume)
		}
	}
}

// Clients of a busy service wait as they are told, at the beginning and at the end. That is
// no failure.
func TestResumeToldToWait(t *testing.T) {
	var asked []time.Time
	r := resuming(t, &history{answer: func(request int) string {
		asked = append(asked, time.Now())
		if request == 5 || request == 21 {
			return `{"error":{"code":"unavailable","retryAfter":5,"ref":"resume"}}`
		}
		return ""
	}}, still...)
	wantAll(t, r)
	if r.Failure != "" || r.Resume.Waits != 2 || len(r.Resume.Refused) != 0 || len(asked) != 22 {
		t.Fatalf("%q, %+v, %d requests", r.Failure, r.Resume, len(asked))
	}
	for request, again := range map[int]int{5: 11, 21: 22} {
		if waited := asked[again-1].Sub(asked[request-1]); waited < 5*time.Second || waited > 8*time.Second {
			t.Errorf("request %d is made again after %v", request, waited)
		}
	}
}

// Without an answer to its last request, a client may miss something.
func TestResumeUnanswered(t *testing.T) {
	r := resuming(t, &history{answer: func(request int) string {
		if request == 15 {
			return `{"messages":[]}`
		}
		return ""
	}}, still...)
	wantAll(t, r)
	if want := "1 client did not resume at the end"; r.Failure != want {
		t.Errorf("%q, want %q", r.Failure, want)
	}
}
