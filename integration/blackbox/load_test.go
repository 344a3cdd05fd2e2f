package blackbox

import (
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/integration/testenv"
)

const end = `"end"` // the content of a last message

// manyClients has one client send while all others, and it, receive.
func manyClients(t *testing.T, tg *target) {
	const clients, broadcasts = 1000, 50
	sender := dial(t, tg)
	wait := receiveAll(t, dialMany(t, tg, clients-1))
	want := send(sender, broadcasts)
	sender.broadcast(end)

	own, err := sender.until(end)
	if err != nil || !slices.Equal(own, want) {
		t.Errorf("the sender got %v, %v", own, err)
	}
	for i, got := range wait() {
		if !slices.Equal(got, want) {
			t.Fatalf("client %d got %v, want 0 to %d in order", i, got, broadcasts-1)
		}
	}
}

// send broadcasts the numbers below n, the next when one is accepted, and
// returns their contents.
func send(sender *client, n int) []string {
	sender.t.Helper()
	contents := make([]string, n)
	for i := range contents {
		contents[i] = strconv.Itoa(i)
		sender.broadcast(contents[i])
	}
	return contents
}

// dialMany opens n connections.
func dialMany(t *testing.T, tg *target, n int) []*client {
	t.Helper()
	clients := make([]*client, n)
	var group errgroup.Group
	group.SetLimit(32)
	for i := range clients {
		group.Go(func() (err error) {
			clients[i], err = tryDial(t, tg)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return clients
}

// receiveAll has the clients read on until the last message. The function it
// returns waits for that and gives what each got.
func receiveAll(t *testing.T, clients []*client) func() [][]string {
	received := make([][]string, len(clients))
	var group errgroup.Group
	for i, c := range clients {
		group.Go(func() (err error) {
			received[i], err = c.until(end)
			return err
		})
	}
	return func() [][]string {
		t.Helper()
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		return received
	}
}

// killedClients breaks connections without a close frame, by a TCP reset and by
// closing the socket with data unread, while messages are on their way.
func killedClients(t *testing.T, tg *target) {
	const survivors, victims, broadcasts = 20, 40, 100
	sender := dial(t, tg)
	doomed := dialMany(t, tg, victims)
	doomedIDs := connected(t, tg, victims+1)[1:]
	wait := receiveAll(t, dialMany(t, tg, survivors))

	var killing errgroup.Group
	killing.Go(func() error {
		for i, c := range doomed {
			if err := kill(c, i%2 == 0); err != nil {
				return err
			}
		}
		return nil
	})
	want := send(sender, broadcasts)
	if err := killing.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, id := range doomedIDs {
		tg.logs.await(t, "disconnected", "connectionId", id)
	}
	last := sender.broadcast(end)
	for i, got := range wait() {
		if !slices.Equal(got, want) {
			t.Errorf("client %d got %v", i, got)
		}
	}
	summary := tg.logs.await(t, "fanned out", "messageIds", last.ID)
	if summary.number("delivered") != survivors+1 || summary.number("leftOver") != 0 {
		t.Errorf("the last broadcast after the killing: %v, want %d delivered", summary, survivors+1)
	}
	if n := len(connections(tg, "disconnected")); n != victims {
		t.Errorf("%d clients are gone, want %d", n, victims)
	}
}

// kill ends the client's connection after it has read one message. A reset
// discards what is in flight.
func kill(c *client, reset bool) error {
	if _, err := c.message(); err != nil {
		return err
	}
	if reset {
		if err := c.tcp.SetLinger(0); err != nil {
			return err
		}
	}
	return c.tcp.Close()
}

// connections returns the ids in the log lines of the message, in their order.
func connections(tg *target, msg string) []string {
	var ids []string
	for _, e := range tg.logs.find(func(e entry) bool { return e.text("msg") == msg }) {
		ids = append(ids, e.text("connectionId"))
	}
	return ids
}

// connected waits for n clients and returns their ids, in order.
func connected(t *testing.T, tg *target, n int) []string {
	t.Helper()
	testenv.Eventually(t, patience, strconv.Itoa(n)+" clients connected", func() bool {
		return len(connections(tg, "connected")) >= n
	})
	return connections(tg, "connected")
}
