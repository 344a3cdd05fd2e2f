package tally

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"serverless-websocket/integration/tools/load/wire"
)

// sent returns a tally of broadcasts, each sent and accepted at its number in
// milliseconds.
func sent(count int) *Tally {
	t := New(1, 3, time.Second)
	t.Schedule(count)
	for n := range count {
		t.Sent(n, int64(n)*1000)
		t.Accepted(n, int64(n)*1000)
	}
	return t
}

// arrive is a batch of broadcasts that took the given milliseconds from the schedule,
// half of that before they were sent.
func arrive(took int64, numbers ...int) *wire.Batch {
	b := &wire.Batch{Bytes: 100 * len(numbers), Frames: 1}
	for _, n := range numbers {
		due := int64(n) * 1000
		b.At = max(b.At, due+took*1000)
		b.Stamps = append(b.Stamps, wire.Stamp{N: n, Due: due, Sent: due + took*500})
	}
	return b
}

func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-want/500 || got > want+want/500 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestLatencies(t *testing.T) {
	tally := sent(100)
	s, slow := tally.NewClient(false).Open(0), tally.NewClient(true).Open(0)
	for n := range 100 {
		s.Deliver(arrive(int64(n+1)*10, n))
	}
	slow.Deliver(arrive(5000, 7))
	fromSend, fromSchedule, ofSlow := tally.Latencies()
	if fromSchedule.Count != 100 || fromSend.Count != 100 || ofSlow.Count != 1 {
		t.Errorf("counts %d, %d, %d", fromSend.Count, fromSchedule.Count, ofSlow.Count)
	}
	near(t, "p50", fromSchedule.P50, 500*time.Millisecond)
	near(t, "p90", fromSchedule.P90, 900*time.Millisecond)
	near(t, "p99", fromSchedule.P99, 990*time.Millisecond)
	near(t, "p99.9", fromSchedule.P999, time.Second)
	near(t, "max", fromSchedule.Max, time.Second)
	near(t, "mean", fromSchedule.Mean, 505*time.Millisecond)
	near(t, "p50 from send", fromSend.P50, 250*time.Millisecond)
	near(t, "slow", ofSlow.Max, 5*time.Second)
	last := 0.0
	for _, q := range fromSchedule.Curve {
		if q.Percent < last {
			t.Fatalf("the curve goes from %v to %v", last, q.Percent)
		}
		last = q.Percent
	}
	if last != 100 {
		t.Errorf("the curve ends at %v", last)
	}
}

// Impossible latencies are recorded as the nearest possible ones, not dropped.
func TestLatencyOutOfRange(t *testing.T) {
	tally := sent(2)
	s := tally.NewClient(false).Open(0)
	s.Deliver(&wire.Batch{At: 5, Stamps: []wire.Stamp{{N: 0, Due: 10, Sent: 10}}})
	s.Deliver(&wire.Batch{At: 10 * longest, Stamps: []wire.Stamp{{N: 1}}})
	_, l, _ := tally.Latencies()
	if l.Count != 2 || l.P50 != 0 {
		t.Errorf("%d recorded, p50 %v", l.Count, l.P50)
	}
	near(t, "max", l.Max, time.Hour)
}

// Merged from shards at any time, the distribution is that of all values.
func TestMerging(t *testing.T) {
	whole, merged := newHistogram(), sent(300)
	var sessions []*Session
	for range 10 {
		sessions = append(sessions, merged.NewClient(false).Open(0))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		took := random.Int64N(5000)
		record(whole, took*1000)
		sessions[random.IntN(10)].Deliver(arrive(took, n))
		switch random.IntN(40) {
		case 0:
			merged.Tick(int64(n))
		case 1:
			merged.BeginStep()
		case 2:
			merged.Latencies()
		}
	}
	_, got, _ := merged.Latencies()
	if diff := cmp.Diff(summarise(whole), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSeries(t *testing.T) {
	tally := New(1, 3, 0)
	tally.Schedule(3)
	tally.NewClient(false).Open(0).Deliver(&wire.Batch{Bytes: 1000})
	tally.Tick(1_000_000)
	if _, ok := tally.LastInterval(); ok {
		t.Error("the first tick ends an interval")
	}
	s := tally.NewClient(false).Open(0)
	tally.Sent(0, 1_100_000)
	tally.Sent(1, 1_200_000)
	tally.Accepted(0, 1_150_000)
	tally.Rejected(1, "unavailable")
	s.Deliver(&wire.Batch{At: 1_600_000, Bytes: 70, Stamps: []wire.Stamp{{N: 0, Due: 1_000_000, Sent: 1_100_000}}})
	tally.Tick(2_000_000)
	s.Cut()
	tally.Tick(3_000_000)

	got := tally.Series()
	if len(got) != 2 {
		t.Fatalf("%d intervals", len(got))
	}
	near(t, "p99", got[0].P99, 600*time.Millisecond)
	got[0].P50, got[0].P99, got[0].Max = 0, 0, 0
	want := []Interval{
		{From: 1_000_000, To: 2_000_000, Connected: 2, Sent: 2, Accepted: 1, Rejected: 1, Delivered: 1, Bytes: 70},
		{From: 2_000_000, To: 3_000_000, Connected: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Missing deliveries count as slower than all that arrived.
func TestStepQuantile(t *testing.T) {
	tally := sent(200)
	s := tally.NewClient(false).Open(0)
	s.Deliver(arrive(9000, 0))
	tally.BeginStep()
	if _, ok := tally.StepQuantile(99, 0); ok {
		t.Error("a quantile of nothing")
	}
	for n := 1; n <= 100; n++ {
		s.Deliver(arrive(int64(n), n))
	}
	for missing, want := range map[int]time.Duration{0: 90, 10: 99, 11: 100} {
		got, ok := tally.StepQuantile(90, missing)
		if !ok {
			t.Errorf("%d missing: no quantile", missing)
		}
		near(t, "p90", got, want*time.Millisecond)
	}
	if got, ok := tally.StepQuantile(90, 12); ok {
		t.Errorf("12 of 112 missing: the p90 is %v", got)
	}
}

func TestSendCounts(t *testing.T) {
	tally := New(1, 1, 0)
	tally.Schedule(5)
	tally.Accepted(0, 1) // was never sent
	for n := range 4 {
		tally.Sent(n, int64(n))
	}
	tally.Accepted(0, 5)
	tally.Rejected(1, "unavailable")
	tally.Rejected(wire.NoNumber, "Internal server error")
	tally.Rejected(17, "unavailable") // there is none
	tally.Accepted(-1, 5)
	got := tally.SendCounts()
	want := SendCounts{Scheduled: 5, Sent: 4, Accepted: 1, Rejected: map[string]int{"unavailable": 1, "Internal server error": 1}}
	if diff := cmp.Diff(want, got); diff != "" || got.Unanswered() != 1 {
		t.Errorf("%d unanswered (-want +got):\n%s", got.Unanswered(), diff)
	}
	for range 9 {
		tally.Rejected(wire.NoNumber, "Internal server error")
	}
	if n := tally.SendCounts().Unanswered(); n != 0 {
		t.Errorf("%d unanswered with more replies than requests", n)
	}
}

func TestOddDeliveries(t *testing.T) {
	tally := sent(2)
	s := tally.NewClient(false).Open(0)
	s.Deliver(&wire.Batch{At: 9, Stamps: []wire.Stamp{{N: 2}, {N: 1 << 60}}, Foreign: 1, Damaged: 1, Unreadable: 1, Frames: 4, Bytes: 50})
	got := tally.Counts()
	if diff := cmp.Diff(Counts{Foreign: 1, Damaged: 3, Unreadable: 1, Frames: 4, Bytes: 50}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever number a connection opens at, broadcasts sent from then on are owed.
func TestOwedFromTheOpening(t *testing.T) {
	const all = 3 * wordBits
	for _, before := range []int{0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 190, 191} {
		tally := New(1, 1, 0)
		tally.Schedule(all)
		c := tally.NewClient(false)
		for n := range all {
			if n == before {
				c.Open(int64(n))
			}
			tally.Sent(n, int64(n))
			tally.Accepted(n, int64(n))
		}
		tally.Close()
		if lost := tally.Counts().Lost; lost != all-before {
			t.Fatalf("opened before number %d of %d: %d lost", before, all, lost)
		}
	}
}

// After Close nothing counts.
func TestClosed(t *testing.T) {
	tally := sent(2)
	c := tally.NewClient(false)
	s := c.Open(0)
	tally.Close()
	before := tally.Counts()
	s.Deliver(arrive(1, 0))
	s.Left(1_000_000_000)
	c.Open(2_000_000_000)
	after := tally.Counts()
	if diff := cmp.Diff(before, after); diff != "" || before.Lost != 2 {
		t.Errorf("%d lost (-before +after):\n%s", before.Lost, diff)
	}
}

// During Close, a reply does not make a broadcast owed that can no longer be delivered.
func TestRepliesEndBeforeDeliveries(t *testing.T) {
	tally := New(1, 1, 0)
	tally.Schedule(2)
	tally.Sent(0, 1)
	tally.Sent(1, 1)
	tally.Accepted(0, 2)
	s := tally.NewClient(false).Open(0)
	tally.shards[0].mu.Lock() // keeps Close from ending the deliveries
	var closing sync.WaitGroup
	closing.Go(tally.Close)
	frozen := func() bool {
		tally.ledger.mu.RLock()
		defer tally.ledger.mu.RUnlock()
		return tally.ledger.closed
	}
	for end := time.Now().Add(time.Minute); !frozen(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("replies still count")
		}
	}
	tally.shards[0].mu.Unlock()
	tally.Accepted(1, 3)
	tally.Rejected(wire.NoNumber, "internal")
	closing.Wait()
	s.Deliver(arrive(1, 0))
	if n, lost := tally.SendCounts(), tally.Counts().Lost; n.Accepted != 1 || n.Unanswered() != 1 || lost != 1 {
		t.Errorf("%+v, %d lost", n, lost)
	}
}

func TestConcurrentUse(t *testing.T) {
	const clients, broadcasts = 20, 500
	tally := New(2, 4, 0)
	first := tally.Schedule(broadcasts)
	var all sync.WaitGroup
	var sessions []*Session
	for range clients {
		sessions = append(sessions, tally.NewClient(false).Open(0))
	}
	for n := first; n < broadcasts; n++ {
		tally.Sent(n, int64(n))
	}
	for _, s := range sessions {
		all.Go(func() {
			for n := range broadcasts {
				s.Deliver(arrive(1, n))
			}
		})
	}
	all.Go(func() {
		for n := range broadcasts {
			tally.Accepted(n, int64(n))
		}
	})
	all.Go(func() {
		for n := range int64(5) {
			tally.Tick(n)
			tally.Missing()
			tally.Latencies()
			tally.Connected()
		}
	})
	all.Wait()
	tally.Close()
	if c := tally.Counts(); c.Delivered != clients*broadcasts || c.Lost != 0 || c.OutOfOrder != 0 {
		t.Errorf("%+v", c)
	}
}
