package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestHeapGrowsToTheFloorBeforeACollection(t *testing.T) {
	for live, want := range map[uint64]int{
		0: 600, 1 << 20: 600, 4 << 20: 500, 6 << 20: 300, 8 << 20: 200, 12 << 20: 100, 20 << 20: 100, 1 << 30: 100,
	} {
		if got := percentFor(live); got != want {
			t.Errorf("%d MB live: %d%%, want %d%%", live>>20, got, want)
		}
	}
}

// Beyond the floor, the heap grows as usual, and when it shrinks, the floor counts again.
func TestTheFloorOfTheHeap(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	t.Setenv("GOGC", "")
	raiseHeapFloor()
	expectGoal(t, heapFloor)
	live := make([]byte, 2*heapFloor)
	expectGoal(t, 4*heapFloor)
	runtime.KeepAlive(live)
	expectGoal(t, heapFloor)
}

func TestGOGCWinsOverTheFloor(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	t.Setenv("GOGC", "50")
	raiseHeapFloor()
	if got := debug.SetGCPercent(usualPercent); got != usualPercent {
		t.Errorf("changed to %d%%", got)
	}
}

// expectGoal waits until the next collection is due at about that size of the heap.
func expectGoal(t *testing.T, want uint64) {
	t.Helper()
	sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		runtime.GC()
		metrics.Read(sample)
		if got := sample[0].Value.Uint64(); want*3/4 < got && got < want*5/4 {
			return
		}
	}
	t.Errorf("the next collection is at %d MB, want %d MB", sample[0].Value.Uint64()>>20, want>>20)
}
