package fanout_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
)

// The worker keeps one part. The other tests show when it splits.
func TestASplitJobReachesEveryoneOnce(t *testing.T) {
	w := newWorld(t, fanout.Options{Parts: 4})
	all := w.connect(20)
	w.send(`1`)
	w.handle(context.Background(), w.receive())
	if depth := w.queue.Depth(); depth.Ready != 3 || w.poster.posts == 0 || w.poster.posts == 20 {
		t.Errorf("depth %+v, %d posts", depth, w.poster.posts)
	}
	w.work()
	for _, id := range all {
		w.wantGot(id, `1`)
	}
}

// wantSplit sends a message and checks how many parts its job is split into.
func (w *world) wantSplit(parts int) {
	w.t.Helper()
	w.send(`"split"`)
	w.handle(context.Background(), w.receive())
	if left := w.queue.Depth().Ready; left != parts-1 {
		w.t.Errorf("%d parts left over, want %d", left, parts-1)
	}
	w.work()
}

func TestATableThatNobodyKnowsIsJudgedByItsFirstPage(t *testing.T) {
	inBubble(func(t *testing.T) {
		for _, test := range []struct {
			name                  string
			pageSize, connections int
			perSecond             float64
			parts                 int
		}{
			{"one page, and nothing is known of the speed", 2000, 1000, 0, 1},
			{"one page that can be served in time", 2000, 1000, 200, 1},
			{"one page that cannot", 2000, 1001, 200, 5},
			{"more pages", 100, 101, 1000, 5},
			{"nobody", 100, 0, 1, 1},
		} {
			w := newWorldOf(t, test.pageSize, fanout.Options{Parts: 5, PostsPerSecond: test.perSecond, PassTime: 5 * time.Second})
			w.connect(test.connections)
			w.wantSplit(test.parts)
			if t.Failed() {
				t.Fatal(test.name)
			}
		}
	})(t)
}

func TestOnceATableIsKnownItsSizeDecides(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 100, fanout.Options{Parts: 5, PostsPerSecond: 1000, PassTime: 5 * time.Second})
		w.connect(4_500)
		w.wantSplit(5) // it has more than a page
		w.wantSplit(1) // 4.5 s
		for i := range 1_000 {
			w.register(domain.ConnectionID("new-"+string(rune('a'+i))), time.Now())
		}
		w.wantSplit(1) // nobody has seen the new ones yet
		w.wantSplit(5) // 5.5 s
	})(t)
}

// A scan that ends early shows the least size that the table has.
func TestAScanThatBreaksOffShowsThatATableHasGrown(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 100, fanout.Options{Parts: 5, PostsPerSecond: 80})
		w.connect(50)
		w.wantSplit(1) // 0.6 s
		w.connect(250)
		w.faultyStore.failScan = func(from domain.Cursor) error {
			if from == "" {
				return nil
			}
			return errors.New("throughput exceeded")
		}
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		w.faultyStore.failScan = nil
		w.wantSplit(5) // 1.3 s for the first page alone
	})(t)
}

// By the end of its first pass, which its deadline cuts short, a worker knows its speed.
func TestASlowWorkerLearnsToSplit(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 5000, fanout.Options{InFlight: 100, Parts: 6})
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Second) }
		all := w.connect(3000) // 30 s at a hundred a second
		w.send(`1`)
		w.workUntil(25 * time.Second) // 15 s without the margin
		w.send(`2`)
		w.handle(context.Background(), w.receive())
		if n := w.queue.Depth().Ready; n != 5 {
			t.Errorf("%d parts left over", n)
		}
		w.workUntil(25 * time.Second)
		for _, id := range all {
			w.wantGot(id, `1`, `2`)
		}
	})(t)
}

// Each connection gets one post for each payload.
func TestPayloadsCountForASplit(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 1000, fanout.Options{Parts: 5, PostsPerSecond: 100})
		w.connect(50)
		w.wantSplit(1) // half a second
		w.sendLarge(10)
		w.wantSplit(5)
	})(t)
}

func TestATableThatHasGrownIsLookedAtAgain(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 100, fanout.Options{Parts: 5, PostsPerSecond: 1000})
		w.wantSplit(1)
		w.connect(150)
		time.Sleep(time.Minute)
		w.wantSplit(5)
	})(t)
}

func TestASplitIsBoundedInBytes(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Parts: 100})
		w.connect(20)
		w.sendLarge(20) // 2 MB
		w.handle(context.Background(), w.receive())
		jobs := w.receive()
		bytes := 0
		for _, j := range jobs {
			bytes += len(j.Body)
		}
		if bytes > 16<<20 || bytes < 10<<20 {
			t.Errorf("split into %d jobs of %d bytes together", len(jobs), bytes)
		}
	})(t)
}
