package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// heapFloor is the size of the heap in bytes below which no garbage is collected.
	// While thousands of clients connect to a new process, the heap doubles and doubles
	// again, and from the usual floor of 4 MB on that takes nine collections.
	heapFloor = 24 << 20
	// usualFloor is the runtime's for the usual percentage. It is in proportion to it.
	usualFloor   = 4 << 20
	usualPercent = 100
)

// raiseHeapFloor has the runtime collect no garbage while the heap is smaller than
// heapFloor, and as usual beyond it. It leaves a GOGC that the operator has set alone; a
// GOMEMLIMIT holds in any case.
func raiseHeapFloor() {
	if os.Getenv("GOGC") != "" {
		return
	}
	percent := percentFor(0)
	debug.SetGCPercent(percent)
	afterCollections(func() {
		if p := percentFor(liveHeap()); p != percent {
			percent = p
			debug.SetGCPercent(p)
		}
	})
}

// percentFor returns how much the heap may grow until the next collection, in percent of
// what was live at the last.
func percentFor(live uint64) int {
	const most = heapFloor * usualPercent / usualFloor
	if live >= heapFloor {
		return usualPercent
	}
	return int(min(most, max(usualPercent, (heapFloor-live)*100/max(1, live))))
}

// liveHeap returns what was live at the last collection, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// afterCollections calls f after each garbage collection, on a goroutine of the runtime.
func afterCollections(f func()) {
	runtime.SetFinalizer(&collected{}, func(c *collected) {
		f()
		afterCollections(f)
	})
}

// collected is garbage. It has a pointer because tiny objects without one share memory.
type collected struct{ _ *byte }
