package simulation

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var large = flag.Bool("scale", false, "measure up to a million connections and print the table of docs/scale.md")

// TestScale measures broadcasts. Without faults and within the quota everybody
// gets the message once, and next to nothing is refused.
func TestScale(t *testing.T) {
	sizes := []int{10_000}
	if *large {
		sizes = []int{10_000, 100_000, 1_000_000}
		fmt.Println("| connections | posts/s | in flight × workers, MB | last delivery | invocations | at once | refused | per broadcast |")
		fmt.Println("|--:|--:|--:|--:|--:|--:|--:|--:|")
	}
	for _, connections := range sizes {
		rows := newTable(connections)
		for _, quota := range []float64{2_500, 10_000, 50_000} {
			for _, size := range []workers{{256, 4, 512}, {256, 10, 1769}, {500, 50, 1769}} {
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

func (m *measured) check(t *testing.T) {
	if m.delivered != m.connections {
		t.Errorf("%d posts delivered to %d connections at %.0f/s by %+v", m.delivered, m.connections, m.quota, m.workers)
	}
	if m.refused > m.connections/100 {
		t.Errorf("%d posts refused of %d at %.0f/s by %+v", m.refused, m.connections, m.quota, m.workers)
	}
}

func (m *measured) print() {
	fmt.Printf("| %d | %.0f | %d × %d, %d | %v | %d | %d | %d | $%.4f |\n",
		m.connections, m.quota, m.workers.inFlight, m.workers.concurrency, m.workers.memoryMB,
		m.lastDelivery.Round(100*time.Millisecond), m.invocations, m.peak, m.refused, m.dollars)
}
