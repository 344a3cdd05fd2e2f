package simulation

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
)

var large = flag.Bool("scale", false, "measure up to a million connections and print the table of docs/scale.md")

// TestScale measures broadcasts. Without faults and within the quota, everyone gets each
// message once, and nothing is refused.
func TestScale(t *testing.T) {
	sizes := []int{10_000}
	if *large {
		sizes = []int{10_000, 100_000, 1_000_000}
		fmt.Println("| connections | posts/s | in flight × workers, MB | first message | second | invocations | at once | refused | per broadcast |")
		fmt.Println("|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	}
	for _, connections := range sizes {
		rows := newTable(connections)
		for _, quota := range []float64{2_500, 10_000, 50_000} {
			for _, size := range []workers{{256, 8, 512}, {256, 14, 1769}, {500, 52, 1769}} {
				m := measured{connections: connections, quota: quota, workers: size}
				synctest.Test(t, func(*testing.T) { measure(rows, &m) })
				m.check(t)
				if *large {
					m.print()
				}
			}
		}
	}
}

// TestSustainedLoad sends messages faster than each could have its own pass. They have to
// coalesce, or their parts would pile up.
func TestSustainedLoad(t *testing.T) {
	rows := newTable(20_000)
	m := measured{connections: 20_000, quota: 10_000, workers: workers{256, 14, 1769}}
	synctest.Test(t, func(t *testing.T) {
		took := m.sustain(rows, 25, time.Second)
		t.Log(took)
		if took > 12*time.Second {
			t.Errorf("the last delivery was %v after the last of 25 messages was sent", took)
		}
	})
}

// While a broadcast to 100,000 connections takes its seconds, messages to users are
// delivered at once.
func TestMessagesToUsersWaitForNoBroadcast(t *testing.T) {
	const connections, users, messages = 100_000, 10, 50
	rows := newTable(connections)
	m := measured{connections: connections, quota: 10_000, workers: workers{256, 14, 1769}, tokens: true}
	synctest.Test(t, func(t *testing.T) {
		w, a := m.newWorld(rows)
		defer w.workers()()
		for i := range 2 * users {
			w.subscribe(domain.ToUser(fmt.Sprint("user-", i%users)), i)
		}
		w.send(0)
		for i := range messages {
			time.Sleep(200 * time.Millisecond)
			w.reach(1+i, domain.ToUser(fmt.Sprint("user-", i%users)))
		}
		w.drained()
		var slowest time.Duration
		for _, sent := range w.messages[1:] {
			slowest = max(slowest, a.arrived[sent.id].Sub(sent.sentAt))
		}
		broadcast := a.arrived[w.messages[0].id].Sub(w.messages[0].sentAt)
		t.Logf("the broadcast took %v, the slowest of %d messages to users %v", broadcast, messages, slowest)
		if slowest > time.Second || broadcast < messages*200*time.Millisecond {
			t.Errorf("the broadcast took %v, a message to a user %v", broadcast, slowest)
		}
		if want := connections + 2*messages; a.delivered != want {
			t.Errorf("%d posts, want %d", a.delivered, want)
		}
	})
}

// A room of 10,000 among 100,000 connections costs the pages of its own rows, and as many
// posts as it has members.
func TestARoomCostsWhatItsMembersCost(t *testing.T) {
	const connections, members = 100_000, 10_000
	rows := newTable(connections)
	m := measured{connections: connections, quota: 10_000, workers: workers{256, 14, 1769}, tokens: true}
	synctest.Test(t, func(t *testing.T) {
		w, a := m.newWorld(rows)
		defer w.workers()()
		for i := range members {
			w.subscribe(domain.ToRoom("goals"), i)
		}
		w.reach(0, domain.ToRoom("goals"))
		w.drained()
		// The first page shows that the room has to be split, and each part has one.
		if a.delivered != members || m.scanned.Load() != 0 || m.queried.Load() != 1+fanout.ChannelWorkers {
			t.Errorf("%d posts, %d pages scanned, %d queried", a.delivered, m.scanned.Load(), m.queried.Load())
		}
	})
}

// subscribe has a connection of the table subscribe.
func (w *world) subscribe(to domain.Recipients, number int) {
	c := row(number)
	c.User = fmt.Sprint("user of ", number)
	err := w.subscriptions.written.Put(context.Background(), c)
	if err == nil {
		err = w.subscriptions.rows.Subscribe(context.Background(), domain.Subscription{To: to, Connection: c}, rooms)
	}
	if err != nil {
		panic(err) // an embedded store does not fail
	}
}

func (m *measured) check(t *testing.T) {
	if m.delivered != 2*m.connections {
		t.Errorf("%d posts of two messages delivered to %d connections at %.0f/s by %+v", m.delivered, m.connections, m.quota, m.workers)
	}
	if m.refused > 0 {
		t.Errorf("%d posts refused of %d at %.0f/s by %+v", m.refused, m.connections, m.quota, m.workers)
	}
}

func (m *measured) print() {
	fmt.Printf("| %d | %.0f | %d × %d, %d | %v | %v | %d | %d | %d | $%.4f |\n",
		m.connections, m.quota, m.workers.inFlight, m.workers.concurrency, m.workers.memoryMB,
		m.cold.Round(100*time.Millisecond), m.warm.Round(100*time.Millisecond),
		m.invocations, m.peak, m.refused, m.dollars)
}
