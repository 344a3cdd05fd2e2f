package blackbox

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	reference "serverless-websocket/clients/go"
	"serverless-websocket/integration/environments/testenv"
)

const (
	// hourRate is how much faster time goes to the client in JavaScript: an hour takes a
	// minute.
	hourRate = 60
	// sentOnce says that a message that was sent again, because nobody knew whether it was
	// accepted, is not accepted twice.
	sentOnce = false
)

// nth is the content of a message that is sent until it is accepted.
type nth struct {
	From string `json:"from"`
	N    int    `json:"n"`
}

// An hour, to the client in JavaScript, in which connections stall and are cut, the service
// stops, is killed and starts again, and tokens expire. Both clients get all messages of
// all channels once and in order.
func TestReferenceClientsForAnHour(t *testing.T) {
	t.Parallel() // with the other test that mostly waits
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	h := newReferenceHour(t, rand.New(rand.NewPCG(seed, 0)))
	h.publishUntil("-1")
	h.publish("start")
	over := make(chan bool)
	published := make(chan int)
	go func() { published <- h.publishNumbers(over) }()
	for until := time.Now().Add(time.Hour / hourRate); time.Now().Before(until); {
		h.fault()
	}
	close(over)
	numbers := <-published
	h.publish("stop")
	for name, f := range h.all {
		testenv.Eventually(t, patience, name+" has all", func() bool { return f.follows(`"stop"`) })
		testenv.Eventually(t, patience, name+" has what it sent", f.hasSent)
		t.Logf("%s: %s", name, f.summary())
	}
	t.Logf("%d numbers; %d connections were cut, the service ended %d times", numbers, h.wire.cuts, h.ends)
	h.check(numbers)
}

// referenceHour is the world of the clients.
type referenceHour struct {
	t         *testing.T
	random    *rand.Rand
	dir       string
	service   *standalone
	ends      int // of the service
	wire      *wire
	straight  *wire // of the publisher, which is not disturbed
	publisher *reference.Client
	repeated  atomic.Int64 // attempts of the publisher that failed
	all       map[string]*followed
}

func newReferenceHour(t *testing.T, random *rand.Rand) *referenceHour {
	h := &referenceHour{t: t, random: random, dir: t.TempDir()}
	url := h.start()
	h.wire, h.straight = newWire(t, url), newWire(t, url)
	h.publisher = runReference(t, h.straight.url, "alice", func(reference.Event) {})
	h.all = map[string]*followed{"go": followInGo(t, h.wire.url), "javascript": followInJavaScript(t, h.wire.url, hourRate)}
	return h
}

// start starts the service, with its limits of ten minutes and of two hours, of which it
// takes a sixth, made shorter.
func (h *referenceHour) start() (url string) {
	h.service = startStandalone(h.t, "-data", h.dir, "-history-days", "1", "-auth", "jwt", "-jwt-secret", jwtSecret,
		"-idle-timeout", (10 * time.Minute / hourRate).String(), "-lifetime", (20 * time.Minute / hourRate).String())
	return h.service.webSocketURL
}

// fault disturbs the clients, after a while.
func (h *referenceHour) fault() {
	h.wait(time.Minute)
	switch h.random.IntN(24) {
	case 0:
		h.restart(syscall.SIGTERM)
	case 1:
		h.restart(syscall.SIGKILL)
	case 2, 3, 4: // longer than the client waits for an answer
		h.wire.cut(3*time.Second, func() bool { return false })
	default:
		h.wire.disturb(h.random)
	}
}

func (h *referenceHour) restart(signal syscall.Signal) {
	h.ends++
	h.service.signal(h.t, signal)
	h.service.process.Wait(h.t, patience)
	h.wait(time.Minute)
	url := h.start()
	h.wire.leadTo(url)
	h.straight.leadTo(url)
}

// wait waits for at most so long, in the time of the client in JavaScript.
func (h *referenceHour) wait(most time.Duration) {
	time.Sleep(time.Duration(h.random.Int64N(int64(most / hourRate))))
}

// publishUntil publishes content again and again until it has come to all clients in all
// channels.
func (h *referenceHour) publishUntil(content string) {
	testenv.Eventually(h.t, patience, "the clients get "+content, func() bool {
		h.publish(json.RawMessage(content))
		return h.all["go"].follows(content) && h.all["javascript"].follows(content)
	})
}

// publishNumbers publishes numbers until the hour is over, and returns the last.
func (h *referenceHour) publishNumbers(over <-chan bool) (n int) {
	for {
		select {
		case <-over:
			return n
		case <-time.After(20 * time.Millisecond):
			n++
			h.publish(nth{"alice", n})
		}
	}
}

// publish sends content to everyone, to the room and to both clients, until all is accepted.
func (h *referenceHour) publish(content any) {
	for _, m := range []reference.Outgoing{{}, {Room: "goals"}, {To: "go"}, {To: "javascript"}} {
		m.Content = content
		for {
			_, err := h.publisher.Send(h.t.Context(), m)
			if err == nil || h.t.Context().Err() != nil {
				break
			}
			h.repeated.Add(1)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// hasSent reports whether all messages have come that were accepted.
func (f *followed) hasSent() bool {
	events, _ := f.after("room:goals", `"start"`)
	came := map[string]bool{}
	for _, e := range events {
		came[e.ID] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return !slices.ContainsFunc(f.sent, func(id string) bool { return !came[id] })
}

func (f *followed) summary() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("%d messages were accepted, %d attempts failed", len(f.sent), f.failed)
}

// check checks that the clients have seen all numbers in order, each message once, and the
// same room.
func (h *referenceHour) check(numbers int) {
	repeated := int(h.repeated.Load())
	for _, f := range h.all {
		repeated += f.failed
	}
	if sentOnce {
		repeated = 0
	}
	rooms := map[string][]string{}
	for name, f := range h.all {
		for _, channel := range []string{"everyone", "user", "room:goals"} {
			events, _ := f.after(channel, `"start"`)
			if problem := disorder(events, numbers, repeated); problem != "" {
				h.t.Errorf("%s, %s: %s", name, channel, problem)
			}
			if channel == "room:goals" {
				for _, e := range events {
					rooms[name] = append(rooms[name], e.ID)
				}
			}
		}
	}
	end := min(len(rooms["go"]), len(rooms["javascript"])) // one may have sent after the stop
	if !slices.Equal(rooms["go"][:end], rooms["javascript"][:end]) {
		h.t.Error("the clients do not see the same room")
	}
}

// disorder returns what is wrong with the events of a channel; empty if nothing is. So many
// numbers may come again.
func disorder(events []event, numbers, repeated int) string {
	last, came := map[string]int{}, map[string]bool{}
	for _, e := range events {
		var one nth
		switch _ = json.Unmarshal(e.Content, &one); {
		case e.Lost != "":
			return "messages are lost: " + e.Lost
		case came[e.ID]:
			return fmt.Sprintf("%s comes twice", e.Content)
		case one.N == last[one.From]+1:
			last[one.From]++
		case one.N > last[one.From]:
			return fmt.Sprintf("%s comes after %d", e.Content, last[one.From])
		case one.N > 0:
			repeated--
		}
		came[e.ID] = true
	}
	if last["alice"] != numbers {
		return fmt.Sprintf("%d of %d is the last", last["alice"], numbers)
	}
	if repeated < 0 {
		return fmt.Sprintf("%d messages too many were accepted twice", -repeated)
	}
	return ""
}
