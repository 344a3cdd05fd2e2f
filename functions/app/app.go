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
	Log           *slog.Logger
	Connections   ports.ConnectionStore
	Subscriptions ports.SubscriptionStore
	// History has the messages that channels keep, and Conversations those between two
	// users as well; nil: they keep none.
	History       ports.MessageLog
	Conversations ports.Conversations
	// ReadLimits bound what reading History and Conversations costs; zero: nothing does.
	ReadLimits session.ReadLimits
	// MaxRooms is how many rooms a connection can be in; session.DefaultMaxRooms if zero.
	MaxRooms int
	// Renewed hears of connections whose token was replaced; see session.Registry.
	Renewed func(domain.ConnectionID, time.Time)
	// Lifetime is how long a connection lives; session.DefaultLifetime if zero.
	Lifetime time.Duration

	// Jobs takes the messages for everyone that were accepted, Channels those for users
	// and rooms, and what is left over of them.
	Jobs, Channels ports.Queue
	// NewID returns the id of a message that was sent at a time; ULIDs if nil.
	NewID func(time.Time) domain.MessageID
	// Logged says that messages are logged by another program; with History, they are anyway.
	Logged bool
	// Policy says who may broadcast without a scope. The zero Policy lets no one.
	Policy domain.Policy
	// Verify returns whom a token was issued to, for the authorizer and for authenticate.
	Verify func(ctx context.Context, token string) (domain.Principal, error)
	// Origins restricts whose pages the authorizer lets connect; see lambdaevent.Authorizer.
	Origins lambdaevent.Origins

	// These are the worker's; see fanout.Ports.
	Parts, Retries, DeadLetters        ports.Queue
	Poster, ChannelPoster, RetryPoster ports.Poster
	Observer                           fanout.Observer
	// Options are the worker's. With a Quota, that sets the parts and posts a second of
	// users, rooms and everyone, and Poster makes all posts: each kind is held to its
	// share.
	Options fanout.Options
	Quota   fanout.Quota
}

// Registry returns the use case of connections.
func (s Service) Registry() *session.Registry {
	return &session.Registry{
		Connections: s.Connections, Subscriptions: s.Subscriptions, Policy: s.Policy, Verify: s.Verify, Renewed: s.Renewed,
		Lifetime: cmp.Or(s.Lifetime, session.DefaultLifetime), MaxRooms: cmp.Or(s.MaxRooms, session.DefaultMaxRooms),
	}
}

// Publisher returns the use case of sending.
func (s Service) Publisher() *publish.Publisher {
	newID := s.NewID
	if newID == nil {
		newID = ulids.NewSource().New
	}
	return &publish.Publisher{
		Jobs: s.Jobs, Channels: s.Channels, Subscriptions: s.Subscriptions, NewID: newID, Policy: s.Policy,
		Logged: s.Logged || s.History != nil,
	}
}

// Handlers returns the handlers of the WebSocket API.
func (s Service) Handlers() lambdaevent.UseCases {
	registry := s.Registry()
	past := &session.History{Registry: registry, Log: s.History, Conversations: s.Conversations}
	if s.ReadLimits != (session.ReadLimits{}) {
		past.Limiter = session.NewReadLimiter(s.ReadLimits)
	}
	return lambdaevent.UseCases{Registry: registry, Past: past, Publisher: s.Publisher(), Log: s.Log}
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
		Connections: s.Connections, Subscriptions: s.Subscriptions, Poster: s.Poster, ChannelPoster: s.ChannelPoster, RetryPoster: s.RetryPoster,
		Parts: s.Parts, Channels: s.Channels, Retries: s.Retries, DeadLetters: s.DeadLetters,
		Log: s.History, Conversations: s.Conversations, Observer: s.Observer,
	}
	if s.Quota != (fanout.Quota{}) {
		outside.Poster = governor.New(s.Poster, governor.Options{PerSecond: s.Quota.PerWorker()})
		outside.ChannelPoster = governor.New(s.Poster, governor.Options{PerSecond: s.Quota.PerChannelWorker()})
		outside.RetryPoster = governor.New(s.Poster, governor.Options{PerSecond: s.Quota.PerRetryWorker()})
		options.Parts, options.PostsPerSecond = s.Quota.Parts(), s.Quota.PerWorker()
		options.ChannelParts, options.ChannelPostsPerSecond = fanout.ChannelWorkers, s.Quota.PerChannelWorker()
	}
	return fanout.New(outside, s.Log, options)
}
