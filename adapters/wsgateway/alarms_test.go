package wsgateway

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Alarms ring when they are due, each once, whichever others are stopped.
func TestAlarms(t *testing.T) {
	for stopped := range 1 << 4 { // a bit for each
		synctest.Test(t, func(t *testing.T) { stopSome(t, stopped) })
	}
}

func stopSome(t *testing.T, stopped int) {
	s := &alarms{after: time.Minute, run: func(f func()) { f() }}
	start := time.Now()
	rang := make(chan time.Duration, 10)
	ring := func() { rang <- time.Since(start) }
	var all [6]alarm
	for i := range 4 {
		s.set(&all[i], ring)
		time.Sleep(time.Second)
	}
	for i := range 4 {
		if bit := stopped >> i & 1; bit == 1 && (!s.stop(&all[i]) || s.stop(&all[i])) {
			t.Error("not stopped once")
		}
	}
	s.set(&all[4], ring)
	time.Sleep(time.Hour - 4*time.Second)
	s.set(&all[5], ring) // when no timer runs any more
	time.Sleep(time.Hour)
	for i, due := range []time.Duration{0, 1, 2, 3, 4, 3600} {
		if i < 4 && stopped>>i&1 == 1 {
			continue
		}
		if got, want := <-rang, time.Minute+due*time.Second; got != want {
			t.Errorf("%04b stopped: number %d rang after %v, want %v", stopped, i, got, want)
		}
	}
	if len(rang) > 0 || s.stop(&all[5]) {
		t.Errorf("%04b stopped: too many rang, or one is set still", stopped)
	}
}

// One that is stopped does not ring, and any other does, also when both happen at once.
func TestAlarmsAreStoppedAsTheyRing(t *testing.T) {
	s := &alarms{after: 100 * time.Microsecond, run: func(f func()) { f() }}
	var rang, kept atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 200 {
				a := new(alarm)
				s.set(a, func() { rang.Add(1) })
				if i%2 == 0 {
					time.Sleep(100 * time.Microsecond)
				}
				if !s.stop(a) {
					kept.Add(1)
				}
			}
		})
	}
	group.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if rang.Load() != kept.Load() || s.first != nil || s.last != nil {
		t.Errorf("%d rang, %d were not stopped", rang.Load(), kept.Load())
	}
}
