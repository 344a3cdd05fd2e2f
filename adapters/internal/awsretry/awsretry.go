// Package awsretry defines how adapters of AWS services retry. Adapters whose service
// answers in milliseconds share it.
package awsretry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

const maxDelay = time.Second

// Policy limits an adapter's calls.
type Policy struct {
	// Timeout is for the whole call. Each attempt gets a third of it, so that an
	// unanswered one leaves time for others.
	Timeout     time.Duration
	MaxAttempts int           // tries of one request
	BaseDelay   time.Duration // limit of the first wait
}

// Backoff returns how long to wait after the failed attempt, counted from 1: a random
// time up to a limit that doubles each time, up to a second, so that callers do not retry
// in step.
func (p Policy) Backoff(attempt int) time.Duration {
	doublings := min(max(attempt, 1), 10) - 1
	return rand.N(min(p.BaseDelay<<doublings, maxDelay))
}

// Tune applies the policy to a client's options.
func (p Policy) Tune(retryer *aws.Retryer, options *[]func(*middleware.Stack) error) {
	*retryer = p.retryer()
	*options = append(*options, p.limitAttempts)
}

// retryer returns the SDK's standard retryer with the policy's backoff, and without its
// token bucket: all calls of a client share that, so throttling or a short outage would
// soon leave nothing to retry with. Retries are bounded by their number and the call's
// time limit.
func (p Policy) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = p.MaxAttempts
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(cutShort))
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return p.Backoff(attempt), nil
		})
	})
}

// cutShort reports whether an answer ended before it was complete. The SDK takes it for one
// that is not understood, and would not ask again.
func cutShort(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// limitAttempts is an API option of the SDK that ends an attempt after its share
// of the Timeout.
func (p Policy) limitAttempts(stack *middleware.Stack) error {
	limit := p.Timeout / 3
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("AttemptTimeout", func(
		call context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		ctx, cancel := context.WithTimeout(call, limit)
		defer cancel()
		out, metadata, err := next.HandleFinalize(ctx, in)
		if err != nil && ctx.Err() != nil && call.Err() == nil {
			// Replaces the SDK's own error, which says that the call was cancelled and is
			// not retried.
			err = fmt.Errorf("no answer within %v: %w", limit, ctx.Err())
		}
		return out, metadata, err
	}), (*retry.Attempt)(nil).ID(), middleware.After)
}
