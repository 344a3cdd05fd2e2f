package simulation

import (
	"context"
	"fmt"
	"time"

	"serverless-websocket/adapters/governor"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// posters returns a worker's posters: the gateway and, if the workers are governed,
// governors with their shares of the quota.
func (w *world) posters() (poster, channelPoster, retryPoster ports.Poster) {
	if !w.plan.governed {
		return w.gateway, w.gateway, w.gateway
	}
	governed := func(share float64, workers int) ports.Poster {
		return scattered{w.seed, governor.New(w.gateway, governor.Options{
			PerSecond: share * w.plan.hazards.quota / float64(workers),
			Burst:     max(1, int(share*w.plan.hazards.burst)/workers),
		})}
	}
	return governed(1-fanout.RetryShare-channelShare, w.plan.jobs.workers+w.plan.parts.workers),
		governed(channelShare, w.plan.channels.workers), governed(fanout.RetryShare, w.plan.retries.workers)
}

// channelShare is the share of workers for users and rooms; see fanout.Quota.
const channelShare = 0.1

// account returns the bucket of the account. For governed workers it has room for all
// their bursts, and for posts that overtake each other on their way. Any worker can meet
// a retry, because redriven dead letters are on the queue of jobs, so each has a burst
// for retries too.
func (p *plan) account() *bucket {
	burst := p.hazards.burst
	if p.governed {
		workers := p.jobs.workers + p.channels.workers + p.parts.workers + p.retries.workers
		burst += float64(3*workers) + p.hazards.quota*longestWay.Seconds()
	}
	return newBucket(p.hazards.quota, burst)
}

// scattered keeps posts of the same instant apart, so that their turns at the governor
// follow from the seed.
type scattered struct {
	seed seed
	ports.Poster
}

func (s scattered) Prepare(payload []byte) (ports.Post, error) {
	post, err := s.Poster.Prepare(payload)
	if err != nil {
		return nil, err
	}
	about := fingerprint([]ports.QueueMessage{{Body: string(payload)}})
	return func(ctx context.Context, id domain.ConnectionID) error {
		call := callerOf(ctx).call(fmt.Sprint("turn of ", about, " to ", id))
		if err := travel(ctx, s.seed.of("turn", call).between("after", 0, time.Millisecond)); err != nil {
			return err
		}
		return post(ctx, id)
	}, nil
}
