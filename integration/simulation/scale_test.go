package simulation

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
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
			for _, size := range []workers{{256, 6, 512}, {256, 12, 1769}, {500, 50, 1769}} {
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
	m := measured{connections: 20_000, quota: 10_000, workers: workers{256, 12, 1769}}
	synctest.Test(t, func(t *testing.T) {
		took := m.sustain(rows, 25, time.Second)
		t.Log(took)
		if took > 12*time.Second {
			t.Errorf("the last delivery was %v after the last of 25 messages was sent", took)
		}
	})
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
