package blackbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	sent   []nth              // that were accepted
	failed int                // attempts to send
}

// event is a line of testdata/follow.mjs.
type event struct {
	Channel, ID, Lost, Refused string
	Content                    json.RawMessage
	Accepted                   *nth
}

// nth is the content of a message that is sent until it is accepted.
type nth struct {
	From string `json:"from"`
	N    int    `json:"n"`
}

func (f *followed) take(e event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case e.Accepted != nil:
		f.sent = append(f.sent, *e.Accepted)
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

// runReference runs the client in Go as a user until the test is over.
func runReference(t *testing.T, url, user string, onMessage func(reference.Event)) *reference.Client {
	ctx, stop := context.WithCancel(context.Background())
	token := token(t, user, nil)
	c := reference.New(reference.Options{
		URL: url, Token: func(context.Context) (string, error) { return token, nil }, Rooms: []string{"goals"}, OnMessage: onMessage,
	})
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return c
}

// followInGo runs the client in Go as testdata/follow.mjs does.
func followInGo(t *testing.T, url string) *followed {
	f := &followed{events: map[string][]event{}}
	start, stop := make(chan bool), make(chan bool)
	begin, end := sync.OnceFunc(func() { close(start) }), sync.OnceFunc(func() { close(stop) })
	c := runReference(t, url, "go", func(e reference.Event) {
		f.take(event{Channel: e.Channel, ID: e.Message.ID, Content: e.Message.Content, Lost: e.Lost})
		switch content := string(e.Message.Content); {
		case e.Channel != "room:goals":
		case content == `"start"`:
			begin()
		case content == `"stop"`:
			end()
		}
	})
	var sending sync.WaitGroup
	sending.Go(func() {
		<-start
		f.send(c, stop)
	})
	t.Cleanup(func() {
		begin()
		end()
		sending.Wait()
	})
	return f
}

// send sends messages to the room, each again until it is accepted.
func (f *followed) send(c *reference.Client, stop <-chan bool) {
	one := nth{From: "go"}
	m := reference.Outgoing{Room: "goals"}
	for accepted := true; ; {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-stop:
			return
		}
		if accepted {
			one.N++
			m.Content, m.Ref, m.Again = one, fmt.Sprint("go-", one.N), false
		}
		if err := try(context.Background(), c, &m); err != nil {
			accepted = false
			f.take(event{Refused: err.Error()})
		} else {
			accepted = true
			f.take(event{Accepted: new(one)})
		}
	}
}

// try sends a message. If nobody knows whether it was accepted, the next try says so.
func try(ctx context.Context, c *reference.Client, m *reference.Outgoing) error {
	_, err := c.Send(ctx, *m)
	var e *reference.Error
	if errors.As(err, &e) && (e.Code == reference.ErrUnanswered.Code || e.Code == "unavailable") {
		m.Again = true
	}
	return err
}

// followInJavaScript runs testdata/follow.mjs. To the client, time goes faster.
func followInJavaScript(t *testing.T, url string, rate int) *followed {
	f := &followed{events: map[string][]event{}}
	cmd := exec.Command(testenv.Node(t), "--experimental-websocket", "--no-warnings", filepath.Join("testdata", "follow.mjs"), url)
	cmd.Env = append(os.Environ(), "SECRET="+jwtSecret, "RATE="+strconv.Itoa(rate))
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
	return map[string]*followed{"go": followInGo(t, w.url), "javascript": followInJavaScript(t, w.url, 1)}
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
