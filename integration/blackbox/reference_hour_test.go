package blackbox

import (
	cryptorand "crypto/rand"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	reference "serverless-websocket/clients/go"
	"serverless-websocket/integration/environments/testenv"
)

// hourRate is how much faster time goes to the client in JavaScript: an hour takes a minute.
const hourRate = 60

// An hour, to the client in JavaScript, in which connections stall and are cut, the service
// stops, is killed and starts again, and tokens expire. Both clients get all messages of
// all channels once and in order, also those that were sent again.
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
		m.Content, m.Ref = content, cryptorand.Text()
		for try(h.t.Context(), h.publisher, &m) != nil && h.t.Context().Err() == nil {
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// hasSent reports whether all messages have come that were accepted.
func (f *followed) hasSent() bool {
	events, _ := f.after("room:goals", `"start"`)
	came := map[nth]bool{}
	for _, e := range events {
		var one nth
		_ = json.Unmarshal(e.Content, &one) // or it is another message
		came[one] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return !slices.ContainsFunc(f.sent, func(one nth) bool { return !came[one] })
}

func (f *followed) summary() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("%d messages were accepted, %d attempts failed", len(f.sent), f.failed)
}

// check checks that the clients have seen all numbers in order, each message once, and the
// same room.
func (h *referenceHour) check(numbers int) {
	rooms := map[string][]string{}
	for name, f := range h.all {
		for _, channel := range []string{"everyone", "user", "room:goals"} {
			events, _ := f.after(channel, `"start"`)
			if problem := disorder(events, numbers); problem != "" {
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

// disorder returns what is wrong with the events of a channel; empty if nothing is.
func disorder(events []event, numbers int) string {
	last, came := map[string]int{}, map[string]bool{}
	for _, e := range events {
		var one nth
		switch _ = json.Unmarshal(e.Content, &one); {
		case e.Lost != "":
			return "messages are lost: " + e.Lost
		case came[e.ID]:
			return fmt.Sprintf("%s comes twice", e.Content)
		case one.N == 0: // another message
		case one.N == last[one.From]+1:
			last[one.From]++
		default:
			return fmt.Sprintf("%s comes after %d", e.Content, last[one.From])
		}
		came[e.ID] = true
	}
	if last["alice"] != numbers {
		return fmt.Sprintf("%d of %d is the last", last["alice"], numbers)
	}
	return ""
}
