package simulation

import (
	"context"
	"fmt"
	"time"

	"serverless-websocket/adapters/governor"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// poster returns what one worker posts by: the gateway and, if the workers are
// governed, a governor with the worker's share of the quota.
func (w *world) poster() ports.Poster {
	if !w.plan.governed {
		return w.gateway
	}
	workers := w.plan.jobWorkers + w.plan.leftoverWorkers
	return scattered{w.seed, governor.New(w.gateway, governor.Options{
		PerSecond: w.plan.hazards.quota / float64(workers),
		Burst:     max(1, int(w.plan.hazards.burst)/workers),
	})}
}

// account returns the bucket of the account. That of governed workers has room
// for the bursts of all of them, and for posts that overtake each other on their
// way.
func (p *plan) account() *bucket {
	burst := p.hazards.burst
	if p.governed {
		burst += float64(p.jobWorkers+p.leftoverWorkers) + p.hazards.quota*longestWay.Seconds()
	}
	return newBucket(p.hazards.quota, burst)
}

// scattered keeps posts of one instant apart, so that their turns at the governor
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
