// Package awsretry says how the adapters of AWS services retry. It is shared by
// those whose service answers in milliseconds.
package awsretry

import (
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const maxDelay = time.Second

// Policy bounds the retries of a request.
type Policy struct {
	MaxAttempts int           // tries of one request
	BaseDelay   time.Duration // limit of the first wait
}

// Backoff returns how long to wait after the failed attempt, counted from 1:
// anything up to a limit that doubles, up to a second, so that callers do not
// come in step.
func (p Policy) Backoff(attempt int) time.Duration {
	doublings := min(max(attempt, 1), 10) - 1
	return rand.N(min(p.BaseDelay<<doublings, maxDelay))
}

// Retryer returns the SDK's standard retryer with the policy's backoff, and
// without its token bucket: all calls of a client share that, so throttling or a
// short outage would soon have left nothing to retry with. What bounds the
// retries is their number and the request's time limit.
func (p Policy) Retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = p.MaxAttempts
		o.RateLimiter = ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return p.Backoff(attempt), nil
		})
	})
}
