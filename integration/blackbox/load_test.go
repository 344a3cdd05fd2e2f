package blackbox

import (
	"fmt"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/integration/environments/testenv"
)

// manyClients has one client send while all clients, including itself, receive.
func manyClients(t *testing.T, tg *target) {
	const clients, broadcasts = 1000, 50
	sender := dial(t, tg)
	wait := receiveAll(t, dialMany(t, tg, clients-1))
	want := send(sender, broadcasts)
	sender.broadcast(endAfter(broadcasts))

	own, err := sender.collect()
	if err != nil {
		t.Fatalf("the sender: %v", err)
	}
	tg.wantContents(t, append(wait(), own), want)
}

// send broadcasts the numbers below n, each once the previous one is accepted, and
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

// receiveAll makes the clients collect. The function it returns waits for that and
// returns what each got.
func receiveAll(t *testing.T, clients []*client) func() [][]message {
	received := make([][]message, len(clients))
	var group errgroup.Group
	for i, c := range clients {
		group.Go(func() (err error) {
			received[i], err = c.collect()
			return err
		})
	}
	return func() [][]message {
		t.Helper()
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		return received
	}
}

// endAfter is the content of a last message, after n others. If ordering is best effort,
// it can overtake some of them.
func endAfter(n int) string { return fmt.Sprintf(`{"end":%d}`, n) }

// collect reads until the client has the last message and as many others as that one
// says. It returns the others, including repeats, in order of arrival.
func (c *client) collect() (got []message, err error) {
	ids, before := make(map[string]bool), -1
	for before < 0 || len(ids) < before {
		m, err := c.message()
		if err != nil {
			return nil, fmt.Errorf("after %d messages: %w", len(ids), err)
		}
		if _, err := fmt.Sscanf(string(m.Content), `{"end":%d}`, &before); err == nil {
			continue
		}
		ids[m.ID] = true
		got = append(got, m)
	}
	return got, nil
}

// killedClients breaks connections without a close frame, by a TCP reset or by closing
// the socket with unread data, while messages are in flight.
func killedClients(t *testing.T, tg *target) {
	const survivors, victims, broadcasts = 20, 40, 100
	sender := dial(t, tg)
	connected(t, tg, 1)
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
	last := sender.broadcast(endAfter(broadcasts))
	tg.wantContents(t, wait(), want)
	tg.wantDelivered(t, last.ID, survivors+1)
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

// connections returns the ids in the log lines of the message, in order.
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
