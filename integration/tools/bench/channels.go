package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
)

// The recipients among the connections of channelResults.
const (
	roomMembers     = 10
	userConnections = 2
)

// channelResults are what one message costs the engine, by whom it is for, among that many
// connections. The posts themselves cost nothing.
type channelResults struct {
	connections           int
	everyone, room, toOne time.Duration
}

// measureChannels fans out messages to everyone, to a room and to a user of a table whose
// connections are all in rooms of ten and belong to users with two connections each.
func measureChannels(progress io.Writer, size sizes) (channelResults, error) {
	r := channelResults{connections: size.subscribers}
	connections := memstore.New(0)
	subscriptions := memstore.NewSubscriptions(0, connections)
	for i := range size.subscribers {
		c := row(i)
		c.User = fmt.Sprint("user-", i/userConnections)
		room := domain.ToRoom(fmt.Sprint("room-", i/roomMembers))
		err := connections.Put(context.Background(), c)
		for _, to := range []domain.Recipients{room, domain.ToUser(c.User)} {
			if err == nil {
				err = subscriptions.Subscribe(context.Background(), domain.Subscription{To: to, Connection: c}, 1)
			}
		}
		if err != nil {
			return r, err
		}
	}
	poster := &instant{answer: func(int64) error { return nil }}
	s := service(connections, poster, discard{}, fanout.Options{InFlight: size.inFlight})
	s.Subscriptions = subscriptions
	worker := s.Worker()
	for _, m := range []struct {
		to    domain.Recipients
		times int
		posts int
		cost  *time.Duration
	}{
		{domain.ToEveryone(), size.broadcasts, size.subscribers, &r.everyone},
		{domain.ToRoom("room-7"), 100 * size.broadcasts, roomMembers, &r.room},
		{domain.ToUser("user-7"), 100 * size.broadcasts, userConnections, &r.toOne},
	} {
		took, err := fanOuts(worker, poster, m.to, m.times, m.posts)
		if err != nil {
			return r, err
		}
		*m.cost = took
	}
	fmt.Fprintf(progress, "channels: a message to everyone in %v, to a room in %v, to a user in %v\n", r.everyone, r.room, r.toOne)
	return r, nil
}

// fanOuts returns the time that a message to the recipients takes.
func fanOuts(worker *fanout.Worker, poster *instant, to domain.Recipients, times, posts int) (time.Duration, error) {
	jobs, err := newJobs(1)
	if err != nil {
		return 0, err
	}
	job, err := domain.DecodeJob(jobs[0].Body)
	if err != nil {
		return 0, err
	}
	job.To = to
	jobs[0].Body = job.Encode()
	before := poster.posts.Load()
	start := time.Now()
	for range times {
		if err := handle(worker, jobs); err != nil {
			return 0, err
		}
	}
	took := time.Since(start) / time.Duration(times)
	if made := poster.posts.Load() - before; made != int64(times*posts) {
		return 0, fmt.Errorf("%d posts to %s, want %d each %d times", made, to, posts, times)
	}
	return took, nil
}
