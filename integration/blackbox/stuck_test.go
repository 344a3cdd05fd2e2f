package blackbox

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
)

var slowClientLimits = settings{writeTimeout: 2 * time.Second}

// neverReads fills all buffers of a client that does not read, and broadcasts
// until it is dropped.
func neverReads(t *testing.T, tg *target) {
	slowID := connectStuck(t, tg)
	sender := dial(t, tg)
	wait := receiveAll(t, dialMany(t, tg, 3))

	var want []string
	var slowest time.Duration
	content := quoted(30 << 10)
	for len(connections(tg, "disconnected")) == 0 {
		started := time.Now()
		sender.broadcast(content)
		if m, err := sender.message(); err != nil || string(m.Content) != content {
			t.Fatalf("got %d bytes, %v", len(m.Content), err)
		}
		slowest = max(slowest, time.Since(started))
		want = append(want, content)
	}
	sender.broadcast(end)

	for i, got := range wait() {
		if !slices.Equal(got, want) {
			t.Errorf("client %d got %d messages, want %d", i, len(got), len(want))
		}
	}
	if slowest >= slowClientLimits.writeTimeout/2 {
		t.Errorf("one of %d broadcasts took %v to reach its sender", len(want), slowest)
	}
	if dropped := connections(tg, "disconnected"); !slices.Equal(dropped, []string{slowID}) {
		t.Errorf("dropped %v, want the slow client %s alone", dropped, slowID)
	}
}

// connectStuck connects a client, as the first, that does not read, and posts
// to it until its buffers are full, those of the kernel first. It returns its id.
func connectStuck(t *testing.T, tg *target) string {
	t.Helper()
	c := dial(t, tg)
	if err := c.tcp.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	id := connected(t, tg, 1)[0]
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
