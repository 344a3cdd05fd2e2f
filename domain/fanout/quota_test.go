package fanout_test

import (
	"math"
	"testing"

	"serverless-websocket/domain/fanout"
)

func TestQuota(t *testing.T) {
	for _, c := range []struct {
		postsPerSecond              float64
		workers                     int
		channelShare                float64
		wantPerWorker, wantPerRetry float64
		wantParts                   int
	}{
		{10_000, 8, 0.1, 2_000, 500, 3},
		{10_000, 14, 0.1, 800, 500, 9},
		{10_000, 8, 0.5, 1_000, 500, 3},
		{1, 8, 0.1, 0.2, 0.05, 3},
		// Lambda gives each queue two workers, whatever the setting.
		{10_000, 1, 0.1, 2_000, 500, 3},
	} {
		q := fanout.Quota{PostsPerSecond: c.postsPerSecond, Workers: c.workers, ChannelShare: c.channelShare}
		if math.Abs(q.PerWorker()-c.wantPerWorker) > 1e-9 || math.Abs(q.PerRetryWorker()-c.wantPerRetry) > 1e-9 || q.Parts() != c.wantParts {
			t.Errorf("%+v: %v and %v posts/s, %d parts; want %v", q, q.PerWorker(), q.PerRetryWorker(), q.Parts(), c)
		}
	}
}

// Whatever the settings, all workers together stay within the stage's quota, and a job
// has as many parts as there are workers for them.
func TestQuotaAddsUp(t *testing.T) {
	for workers := fanout.MinWorkers; workers <= 1_000; workers++ {
		q := fanout.Quota{PostsPerSecond: 10_000, Workers: workers, ChannelShare: 0.2}
		if sum := float64(workers-4)*q.PerWorker() + 2*q.PerChannelWorker() + 2*q.PerRetryWorker(); math.Abs(sum-10_000) > 1e-6 {
			t.Errorf("%d workers: %v posts/s", workers, sum)
		}
		if forParts := workers - 6; q.PartWorkers() != forParts || q.Parts() != forParts+1 {
			t.Errorf("%d workers: %d for parts, %d parts; want %d and one more", workers, q.PartWorkers(), q.Parts(), forParts)
		}
	}
}
