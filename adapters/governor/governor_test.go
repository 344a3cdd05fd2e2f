package governor_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"pgregory.net/rapid"

	"serverless-websocket/adapters/governor"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// answers is a poster that takes 10 ms and answers as the function says.
type answers func(id domain.ConnectionID) error

func (a answers) Prepare([]byte) (ports.Post, error) {
	return func(_ context.Context, id domain.ConnectionID) error {
		time.Sleep(10 * time.Millisecond)
		return a(id)
	}, nil
}

func (a answers) Closing() ports.Post { return nil }

func yes(domain.ConnectionID) error { return nil }

func prepare(t testing.TB, poster ports.Poster) ports.Post {
	post, err := poster.Prepare(nil)
	if err != nil {
		t.Fatal(err)
	}
	return post
}

// broadcast makes n posts with 256 in flight and returns how long that took and how many
// failed.
func broadcast(ctx context.Context, post ports.Post, n int) (took time.Duration, failed int) {
	start := time.Now()
	var left, failures atomic.Int64
	left.Store(int64(n))
	var workers sync.WaitGroup
	for range 256 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if post(ctx, "a") != nil {
					failures.Add(1)
				}
			}
		})
	}
	workers.Wait()
	return time.Since(start), int(failures.Load())
}

func inside(t *testing.T, what string, got, from, to time.Duration) {
	t.Helper()
	if got < from || got > to {
		t.Errorf("%s took %v, want %v to %v", what, got, from, to)
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		post := prepare(t, governor.New(answers(yes), governor.Options{PerSecond: 1000, Burst: 600}))
		took, _ := broadcast(t.Context(), post, 600)
		inside(t, "a broadcast within the burst", took, 0, 30*time.Millisecond)
		took, _ = broadcast(t.Context(), post, 3000)
		inside(t, "3,000 posts with nothing saved up", took, 2900*time.Millisecond, 3100*time.Millisecond)
		time.Sleep(time.Second)
		took, _ = broadcast(t.Context(), post, 600)
		inside(t, "a broadcast after a pause", took, 0, 30*time.Millisecond)
	})
}

func TestNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took, _ := broadcast(t.Context(), prepare(t, governor.New(answers(yes), governor.Options{})), 256_000)
		inside(t, "256,000 posts", took, 10*time.Second, 10*time.Second)
	})
}

// TestStorm has a gateway that refuses everything for two seconds and then
// nothing.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calm := time.Now().Add(2 * time.Second)
		var refused atomic.Int64
		poster := governor.New(answers(func(domain.ConnectionID) error {
			if time.Now().Before(calm) {
				refused.Add(1)
				return ports.ErrThrottled
			}
			return nil
		}), governor.Options{PerSecond: 1000, Burst: 500})
		post := prepare(t, poster)
		for time.Now().Before(calm) {
			broadcast(t.Context(), post, 256)
		}
		// 500 at once and 1,000 a second would be 2,500.
		if n := refused.Load(); n > 1600 {
			t.Errorf("%d posts in a storm of two seconds", n)
		}
		time.Sleep(time.Until(calm.Add(6 * time.Second)))
		took, _ := broadcast(t.Context(), post, 2500)
		inside(t, "2,500 posts when it has recovered", took, 1900*time.Millisecond, 2200*time.Millisecond)
	})
}

// TestStormTakesWhatWasSavedUp still has part of its burst when the first posts are
// refused.
func TestStormTakesWhatWasSavedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := func(domain.ConnectionID) error { return ports.ErrThrottled }
		post := prepare(t, governor.New(answers(refuse), governor.Options{PerSecond: 1000, Burst: 500}))
		broadcast(t.Context(), post, 20)
		time.Sleep(250 * time.Millisecond)
		took, _ := broadcast(t.Context(), post, 140)
		inside(t, "140 posts at 700 a second", took, 200*time.Millisecond, 300*time.Millisecond)
	})
}

// TestRecoversUnderLoad always has posts waiting.
func TestRecoversUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calm := time.Now().Add(2 * time.Second)
		post := prepare(t, governor.New(answers(func(domain.ConnectionID) error {
			if time.Now().Before(calm) {
				return ports.ErrThrottled
			}
			return nil
		}), governor.Options{PerSecond: 1000, Burst: 1}))
		for time.Now().Before(calm.Add(8 * time.Second)) {
			broadcast(t.Context(), post, 256)
		}
		took, _ := broadcast(t.Context(), post, 3000)
		inside(t, "3,000 posts after the storm", took, 2900*time.Millisecond, 3100*time.Millisecond)
	})
}

// TestOneSlowClient has one client in twenty with a full buffer.
func TestOneSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		post := prepare(t, governor.New(answers(func(domain.ConnectionID) error {
			if n.Add(1)%20 == 0 {
				return ports.ErrThrottled
			}
			return nil
		}), governor.Options{PerSecond: 1000, Burst: 1}))
		took, failed := broadcast(t.Context(), post, 5000)
		inside(t, "5,000 posts", took, 4900*time.Millisecond, 5100*time.Millisecond)
		if failed != 250 {
			t.Errorf("%d posts failed", failed)
		}
	})
}

// TestFindsTheRealQuota has a gateway with half the quota that the governor assumes: most
// of it is used, and few posts are refused.
func TestFindsTheRealQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quota = 500
		bucket := rate.NewLimiter(quota, 250)
		post := prepare(t, governor.New(answers(func(domain.ConnectionID) error {
			if bucket.Allow() {
				return nil
			}
			return ports.ErrThrottled
		}), governor.Options{PerSecond: 2 * quota}))
		took, failed := broadcast(t.Context(), post, 60_000)
		taken := 60_000 - failed
		t.Logf("%d taken and %d refused in %v", taken, failed, took)
		if share := float64(taken) / took.Seconds() / quota; share < 0.8 {
			t.Errorf("used %.0f %% of the quota", 100*share)
		}
		if share := float64(failed) / 60_000; share > 0.15 {
			t.Errorf("%.0f %% of the posts were refused", 100*share)
		}
	})
}

func TestTurnAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reached := 0
		post := prepare(t, governor.New(answers(func(domain.ConnectionID) error { reached++; return nil }),
			governor.Options{PerSecond: 0.5, Burst: 1}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := post(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err := post(ctx, "a")
		if !errors.Is(err, ports.ErrNotSent) || time.Since(start) > 0 || reached != 1 {
			t.Errorf("got %v after %v, %d posts made", err, time.Since(start), reached)
		}
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		post := prepare(t, governor.New(answers(yes), governor.Options{PerSecond: 0.5, Burst: 1}))
		if err := post(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := post(ctx, "a")
		if !errors.Is(err, context.Canceled) || !errors.Is(err, ports.ErrNotSent) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

// TestWaitingPostsHurryUp has many posts waiting when a storm ends: they must not stick
// to the pace of the storm.
func TestWaitingPostsHurryUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calm := time.Now().Add(10 * time.Second)
		post := prepare(t, governor.New(answers(func(domain.ConnectionID) error {
			if time.Now().Before(calm) {
				return ports.ErrThrottled
			}
			return nil
		}), governor.Options{PerSecond: 1000, Burst: 1}))
		for time.Now().Before(calm.Add(-time.Second)) {
			broadcast(t.Context(), post, 256)
		}
		// The pace is 20 a second now: 256 posts that kept to it would take 12 s.
		took, _ := broadcast(t.Context(), post, 256)
		inside(t, "256 posts that a storm held up", took, 0, 6*time.Second)
	})
}

// TestStormOfASmallShare has two posts a second refused.
func TestStormOfASmallShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused atomic.Int64
		post := prepare(t, governor.New(answers(func(domain.ConnectionID) error {
			refused.Add(1)
			return ports.ErrThrottled
		}), governor.Options{PerSecond: 8, Burst: 1}))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		broadcast(ctx, post, 10_000)
		if n := refused.Load(); n > 400 { // 960 at full pace
			t.Errorf("%d posts in a storm of two minutes", n)
		}
	})
}

// TestNeverAboveTheQuota makes broadcasts of any size at any time and checks the rate
// between any two posts.
func TestNeverAboveTheQuota(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		perSecond := rapid.Float64Range(5, 500).Draw(rt, "posts a second")
		burst := rapid.IntRange(1, 50).Draw(rt, "burst")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 120), 1, 5).Draw(rt, "broadcasts")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 3000), 5, 5).Draw(rt, "pauses in ms")
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var at []time.Time
			post := prepare(t, governor.New(answers(func(domain.ConnectionID) error {
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Now())
				return nil
			}), governor.Options{PerSecond: perSecond, Burst: burst}))
			for i, size := range sizes {
				broadcast(t.Context(), post, size)
				time.Sleep(time.Duration(pauses[i]) * time.Millisecond)
			}
			for i, first := range at {
				for j := i; j < len(at); j++ {
					long := at[j].Sub(first).Seconds()
					if n := float64(j - i + 1); n > float64(burst)+perSecond*long+1 {
						rt.Fatalf("%v posts in %v s", n, long)
					}
				}
			}
		})
	})
}

func BenchmarkPost(b *testing.B) {
	post := prepare(b, governor.New(instant{}, governor.Options{PerSecond: 1e9}))
	b.ReportAllocs()
	for b.Loop() {
		if err := post(b.Context(), "a"); err != nil {
			b.Fatal(err)
		}
	}
}

// instant is a poster that costs nothing.
type instant struct{}

func (instant) Prepare([]byte) (ports.Post, error) {
	return func(context.Context, domain.ConnectionID) error { return nil }, nil
}

func (instant) Closing() ports.Post { return nil }
