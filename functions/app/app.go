// Package app composes the use cases. A program says which adapters it takes and
// which handlers it serves; everything between them is put together here, for the
// Lambda functions, standalone, the simulation and the benchmarks alike.
package app

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"serverless-websocket/adapters/governor"
	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/ulids"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/domain/publish"
	"serverless-websocket/domain/session"
	"serverless-websocket/ports"
)

// Service is the service over a program's adapters. A program sets those that its
// handlers need.
type Service struct {
	Log         *slog.Logger
	Connections ports.ConnectionStore
	// Lifetime is how long a connection lives; session.DefaultLifetime if zero.
	Lifetime time.Duration

	// Jobs takes the messages that were accepted.
	Jobs ports.Queue
	// NewID returns the id of a message that was sent at a time; ULIDs if nil.
	NewID func(time.Time) domain.MessageID
	// Policy says who may broadcast without a scope. The zero Policy lets no one.
	Policy domain.Policy
	// Verify returns whom a token was issued to; it is the authorizer's.
	Verify func(ctx context.Context, token string) (domain.Principal, error)
	// Origins restricts whose pages the authorizer lets connect; see lambdaevent.Authorizer.
	Origins lambdaevent.Origins

	// These are the worker's; see fanout.Ports.
	Parts, Retries, DeadLetters ports.Queue
	Poster, RetryPoster         ports.Poster
	Observer                    fanout.Observer
	// Options are the worker's. With a Quota, that sets Parts and PostsPerSecond,
	// and Poster makes the retries too: each kind of post is held to its share.
	Options fanout.Options
	Quota   fanout.Quota
}

// Registry returns the use case of connecting.
func (s Service) Registry() *session.Registry {
	return &session.Registry{Store: s.Connections, Lifetime: cmp.Or(s.Lifetime, session.DefaultLifetime)}
}

// Publisher returns the use case of sending.
func (s Service) Publisher() *publish.Publisher {
	newID := s.NewID
	if newID == nil {
		newID = ulids.NewSource().New
	}
	return &publish.Publisher{Queue: s.Jobs, NewID: newID, Policy: s.Policy}
}

// Routes returns the routes of the WebSocket API.
func (s Service) Routes() map[string]lambdaevent.Route {
	return lambdaevent.UseCases{Registry: s.Registry(), Publisher: s.Publisher(), Log: s.Log}.Routes()
}

// Authorizer returns the handler of handshakes; see lambdaevent.Authorizer.Challenge.
func (s Service) Authorizer(challenge bool) *lambdaevent.Authorizer {
	return &lambdaevent.Authorizer{Verify: s.Verify, Challenge: challenge, Origins: s.Origins, Log: s.Log}
}

// FanOut returns the handler of jobs.
func (s Service) FanOut() *lambdaevent.FanOut { return &lambdaevent.FanOut{Worker: s.Worker()} }

// Worker returns the use case of fan-out.
func (s Service) Worker() *fanout.Worker {
	options := s.Options
	outside := fanout.Ports{
		Connections: s.Connections, Poster: s.Poster, RetryPoster: s.RetryPoster,
		Parts: s.Parts, Retries: s.Retries, DeadLetters: s.DeadLetters, Observer: s.Observer,
	}
	if s.Quota != (fanout.Quota{}) {
		outside.Poster = governor.New(s.Poster, governor.Options{PerSecond: s.Quota.PerWorker()})
		outside.RetryPoster = governor.New(s.Poster, governor.Options{PerSecond: s.Quota.PerRetryWorker()})
		options.Parts, options.PostsPerSecond = s.Quota.Parts(), s.Quota.PerWorker()
	}
	return fanout.New(outside, s.Log, options)
}
