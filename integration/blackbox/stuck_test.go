package blackbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/coder/websocket"
)

// slowClientLimits keep a client that reads nothing for the duration of a test.
var slowClientLimits = settings{writeTimeout: time.Hour}

// neverReads fills all buffers of a client that does not read, and broadcasts. Each
// broadcast reaches its sender: no one waits for the slow client.
func neverReads(t *testing.T, tg *target) {
	slow, _ := connectStuck(t, tg)
	sender := dial(t, tg)
	wait := receiveAll(t, dialMany(t, tg, 3))
	var want []string
	content := quoted(30 << 10)
	for range 10 {
		sender.wantMessage(sender.broadcast(content).ID)
		want = append(want, content)
	}
	sender.broadcast(endAfter(len(want)))
	tg.wantContents(t, wait(), want)
	if dropped := connections(tg, "disconnected"); len(dropped) > 0 {
		t.Errorf("dropped %v", dropped)
	}
	slow.ws.CloseNow() // otherwise nothing could stop gracefully
}

// TestSlowClientGetsAllInOrder has a client read nothing while more messages arrive than
// all buffers can hold. When it reads, it gets them in the same order as the others.
func TestSlowClientGetsAllInOrder(t *testing.T) {
	const messages = 200 // of 30 KB: less than the backlog
	s := startStandalone(t)
	slow := dial(t, s.target)
	sender := dial(t, s.target)
	for i := range messages {
		sender.broadcast(fmt.Sprintf(`"%d %s"`, i, strings.Repeat("x", 30<<10)))
	}
	sender.broadcast(`"last"`)
	if _, err := sender.until(`"last"`); err != nil {
		t.Fatal(err)
	}
	got, err := slow.until(`"last"`)
	if err != nil || len(got) != messages {
		t.Fatalf("%d messages, %v", len(got), err)
	}
	for i, content := range got {
		if want := fmt.Sprintf(`"%d `, i); !strings.HasPrefix(content, want) {
			t.Fatalf("message %d is %.10s", i, content)
		}
	}
}

// TestWriteTimeout has the service drop a client that takes nothing.
func TestWriteTimeout(t *testing.T) {
	s := startStandalone(t, "-write-timeout", "300ms")
	bystander := dial(t, s.target)
	_, id := connectStuckAfter(t, s.target, 1)
	if e := s.logs.await(t, "disconnected", "connectionId", id); e.number("code") != int(websocket.StatusPolicyViolation) {
		t.Errorf("dropped with %v, want code 1008", e)
	}
	bystander.broadcast(`"still here"`)
}

// connectStuck connects a first client that does not read, and posts to it until its
// buffers are full, those of the kernel first.
func connectStuck(t *testing.T, tg *target) (c *client, id string) {
	t.Helper()
	return connectStuckAfter(t, tg, 0)
}

// connectStuckAfter is connectStuck with others before it.
func connectStuckAfter(t *testing.T, tg *target, others int) (c *client, id string) {
	t.Helper()
	connected(t, tg, others)
	c = dial(t, tg)
	if err := c.tcp.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	id = connected(t, tg, others+1)[others]
	api := newManagement(t, tg.managementEndpoint)
	for range 1000 {
		err := post(t, api, id, largest)
		if _, full := errors.AsType[*types.LimitExceededException](err); full {
			return c, id
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("a client that does not read takes everything")
	return nil, ""
}

// TestStallOfTenSeconds has a client read nothing for ten seconds while it is sent 600 KB a
// second. It gets everything afterwards.
func TestStallOfTenSeconds(t *testing.T) {
	const messages = 400 // of 15 KB
	s := startStandalone(t)
	stalled, sender := dial(t, s.target), dial(t, s.target)
	pace := time.NewTicker(25 * time.Millisecond)
	defer pace.Stop()
	for i := range messages {
		<-pace.C
		sender.broadcast(fmt.Sprintf(`"%d %s"`, i, strings.Repeat("x", 15_000)))
	}
	sender.broadcast(`"last"`)
	if _, err := sender.until(`"last"`); err != nil {
		t.Fatal(err)
	}
	got, err := stalled.until(`"last"`)
	if err != nil || len(got) != messages {
		t.Fatalf("%d messages of %d, %v", len(got), messages, err)
	}
}
