package blackbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	reference "serverless-websocket/clients/go"
	"serverless-websocket/integration/environments/testenv"
)

// The client in JavaScript passes the behaviours that the one in Go passes in its package.
func TestBehavioursOfTheJavaScriptClient(t *testing.T) {
	cmd := exec.Command(testenv.Node(t), "--test", "--test-reporter=spec")
	cmd.Dir = filepath.Join(testenv.Root(), "clients", "js")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "pass 0") {
		t.Errorf("%v\n%s", err, testenv.Tail(string(out)))
	}
}

// followed is what a reference client has told.
type followed struct {
	mu     sync.Mutex
	events map[string][]event // by channel
	sent   []string           // ids that were accepted
	failed int                // messages that may not have been
}

// event is a line of testdata/follow.mjs.
type event struct {
	Channel, ID, Lost, Accepted, Refused string
	Content                              json.RawMessage
}

func (f *followed) take(e event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case e.Accepted != "":
		f.sent = append(f.sent, e.Accepted)
	case e.Refused != "":
		f.failed++
	default:
		f.events[e.Channel] = append(f.events[e.Channel], e)
	}
}

// after returns the channel's events after the first of a content.
func (f *followed) after(channel, content string) (all []event, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, e := range f.events[channel] {
		if string(e.Content) == content {
			return slices.Clone(f.events[channel][i+1:]), true
		}
	}
	return nil, false
}

// followInGo runs the client in Go as testdata/follow.mjs does.
func followInGo(t *testing.T, url, token string) *followed {
	f := &followed{events: map[string][]event{}}
	ctx, stop := context.WithCancel(context.Background())
	sending, stopSending := context.WithCancel(ctx)
	var c *reference.Client
	c = reference.New(reference.Options{
		URL: url, Token: func(context.Context) (string, error) { return token, nil }, Rooms: []string{"goals"},
		OnMessage: func(e reference.Event) {
			f.take(event{Channel: e.Channel, ID: e.Message.ID, Content: e.Message.Content, Lost: e.Lost})
			switch string(e.Message.Content) {
			case `"start"`:
				go f.send(sending, c)
			case `"stop"`:
				stopSending()
			}
		},
	})
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		stopSending()
	})
	return f
}

// send sends messages to the room until ctx ends.
func (f *followed) send(ctx context.Context, c *reference.Client) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			id, err := c.Send(context.Background(), reference.Outgoing{Content: "from Go", Room: "goals"})
			if err != nil {
				f.take(event{Refused: err.Error()})
			} else {
				f.take(event{Accepted: id})
			}
		case <-ctx.Done():
			return
		}
	}
}

// followInJavaScript runs testdata/follow.mjs.
func followInJavaScript(t *testing.T, url, token string) *followed {
	f := &followed{events: map[string][]event{}}
	cmd := exec.Command(testenv.Node(t), "--experimental-websocket", "--no-warnings", filepath.Join("testdata", "follow.mjs"), url)
	cmd.Env = append(os.Environ(), "TOKEN="+token)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = write
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			var e event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("%s: %v", lines.Text(), err)
			}
			f.take(e)
		}
	}()
	t.Cleanup(func() {
		write.Close()
		<-done
		read.Close()
	})
	testenv.Start(t, cmd)
	return f
}

// Both clients, whose connections are cut and stalled, get what the logs have: nothing is
// lost, comes twice or out of order.
func TestReferenceClientsMissNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	alice, url := startWithHistory(t, 1)
	w := newWire(t, url)
	all := bothClients(t, w)
	alice.publishUntil("-1", all)
	alice.publish(`"start"`)
	numbers := 0
	for until := time.Now().Add(12 * time.Second); time.Now().Before(until); {
		for range random.IntN(20) {
			numbers++
			alice.publish(fmt.Sprint(numbers))
			time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
		}
		w.disturb(random)
	}
	alice.publish(`"stop"`)
	for name, f := range all {
		testenv.Eventually(t, patience, name+" has all", func() bool { return f.follows(`"stop"`) })
		testenv.Eventually(t, patience, name+" has what it sent", f.hasSent)
		t.Logf("%s: %s", name, f.summary())
	}
	t.Logf("%d numbers; the connections were cut %d times", numbers, w.cuts)
	checkFollowed(t, numbers, all)
}

// A service that has lost its logs is another one. Both clients say so, and go on.
func TestReferenceClientsTellOfARestart(t *testing.T) {
	before, url := startWithHistory(t, 1)
	w := newWire(t, url)
	all := bothClients(t, w)
	before.publishUntil(`"before"`, all)
	after, url := startWithHistory(t, 1)
	w.leadTo(url)
	w.cut(0, func() bool { return true })
	after.publishUntil(`"after"`, all)
	for name, f := range all {
		for _, channel := range []string{"everyone", "user", "room:goals"} {
			events, _ := f.after(channel, `"before"`)
			lost := slices.IndexFunc(events, func(e event) bool { return e.Lost == "reset" })
			first := slices.IndexFunc(events, func(e event) bool { return string(e.Content) == `"after"` })
			if lost < 0 || lost > first {
				t.Errorf("%s, %s: %d events, lost at %d, and what comes after at %d", name, channel, len(events), lost, first)
			}
		}
	}
}

// From a service that keeps nothing, both clients get what comes while they are connected.
func TestReferenceClientsWithoutHistory(t *testing.T) {
	alice, url := startWithHistory(t, 0)
	w := newWire(t, url)
	all := bothClients(t, w)
	alice.publishUntil(`"before"`, all)
	w.cut(0, func() bool { return true })
	alice.publishUntil(`"after"`, all)
}

// startWithHistory starts a service that keeps messages for some days, with one client, who
// is in the room.
func startWithHistory(t *testing.T, days int) (alice *client, url string) {
	t.Helper()
	s := startStandalone(t, "-auth", "jwt", "-jwt-secret", jwtSecret, "-history-days", strconv.Itoa(days))
	alice = signIn(t, s.target, token(t, "alice", nil))
	alice.ask(`{"action":"joinRoom","room":"goals"}`, `{"joined":`)
	return alice, s.webSocketURL
}

// bothClients starts both clients.
func bothClients(t *testing.T, w *wire) map[string]*followed {
	t.Helper()
	return map[string]*followed{
		"go": followInGo(t, w.url, token(t, "go", nil)), "javascript": followInJavaScript(t, w.url, token(t, "javascript", nil)),
	}
}

// publishUntil sends content again and again until it has come to all clients in all
// channels.
func (c *client) publishUntil(content string, all map[string]*followed) {
	c.t.Helper()
	testenv.Eventually(c.t, patience, "the clients get "+content, func() bool {
		c.publish(content)
		return all["go"].follows(content) && all["javascript"].follows(content)
	})
}

// publish sends content to everyone, to the room and to both clients.
func (c *client) publish(content string) {
	c.ask(sendTemplate+content+"}", `{"accepted":`)
	for _, address := range []string{`"room":"goals"`, `"to":"go"`, `"to":"javascript"`} {
		c.tell(address, content)
	}
	c.messages = nil
}

// follows reports whether the content has come in every channel.
func (f *followed) follows(content string) bool {
	for _, channel := range []string{"everyone", "user", "room:goals"} {
		if _, ok := f.after(channel, content); !ok {
			return false
		}
	}
	return true
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
	return fmt.Sprintf("of its messages, %d were accepted, and %d perhaps", len(f.sent), f.failed)
}

// checkFollowed checks that the clients have seen all numbers in order, each message once,
// and the same room.
func checkFollowed(t *testing.T, numbers int, all map[string]*followed) {
	t.Helper()
	rooms := map[string][]string{}
	for name, f := range all {
		for _, channel := range []string{"everyone", "user", "room:goals"} {
			events, _ := f.after(channel, `"start"`)
			if problem := disorder(events, numbers); problem != "" {
				t.Errorf("%s, %s: %s", name, channel, problem)
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
		t.Error("the clients do not see the same room")
	}
}

// disorder returns what is wrong with the events of a channel; empty if nothing is.
func disorder(events []event, numbers int) string {
	next, came := 1, map[string]bool{}
	for _, e := range events {
		var number int
		switch {
		case e.Lost != "":
			return "messages are lost: " + e.Lost
		case came[e.ID]:
			return fmt.Sprintf("%s comes twice", e.Content)
		case json.Unmarshal(e.Content, &number) != nil:
		case number != next:
			return fmt.Sprintf("%d comes after %d", number, next-1)
		default:
			next++
		}
		came[e.ID] = true
	}
	if next != numbers+1 {
		return fmt.Sprintf("%d is the last", next-1)
	}
	return ""
}
