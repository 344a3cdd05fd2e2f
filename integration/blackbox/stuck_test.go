package blackbox

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/coder/websocket"
)

// slowClientLimits keep a client that reads nothing until it is owed too much.
var slowClientLimits = settings{writeTimeout: time.Hour}

// neverReads fills all buffers of a client that does not read, and broadcasts
// until it is dropped. Each broadcast gets to its sender before that: it does not
// wait for the slow client.
func neverReads(t *testing.T, tg *target) {
	slowID := connectStuck(t, tg)
	sender := dial(t, tg)
	wait := receiveAll(t, dialMany(t, tg, 3))
	api := newManagement(t, tg.managementEndpoint)

	var want []string
	content := quoted(30 << 10)
	for len(connections(tg, "disconnected")) == 0 {
		sender.wantMessage(sender.broadcast(content).ID)
		want = append(want, content)
		for range 4 { // what it is owed grows by what it is refused
			_ = post(t, api, slowID, largest)
		}
	}
	sender.broadcast(endAfter(len(want)))

	if len(want) < 5 {
		t.Errorf("%d broadcasts before the slow client was dropped", len(want))
	}
	tg.wantContents(t, wait(), want)
	if dropped := connections(tg, "disconnected"); !slices.Equal(dropped, []string{slowID}) {
		t.Errorf("dropped %v, want the slow client %s alone", dropped, slowID)
	}
}

// TestWriteTimeout has the service drop a client that takes nothing.
func TestWriteTimeout(t *testing.T) {
	s := startStandalone(t, "-write-timeout", "300ms")
	bystander := dial(t, s.target)
	id := connectStuckAfter(t, s.target, 1)
	if e := s.logs.await(t, "disconnected", "connectionId", id); e.number("code") != int(websocket.StatusPolicyViolation) {
		t.Errorf("dropped with %v, want code 1008", e)
	}
	bystander.broadcast(`"still here"`)
}

// connectStuck connects a client, as the first, that does not read, and posts
// to it until its buffers are full, those of the kernel first. It returns its id.
func connectStuck(t *testing.T, tg *target) string {
	t.Helper()
	return connectStuckAfter(t, tg, 0)
}

// connectStuckAfter is connectStuck with others before it.
func connectStuckAfter(t *testing.T, tg *target, others int) string {
	t.Helper()
	c := dial(t, tg)
	if err := c.tcp.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	id := connected(t, tg, others+1)[others]
	api := newManagement(t, tg.managementEndpoint)
	for range 1000 {
		err := post(t, api, id, largest)
		if _, full := errors.AsType[*types.LimitExceededException](err); full {
			return id
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("a client that does not read takes everything")
	return ""
}
