package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/eventsource"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/publish"
	"serverless-websocket/functions/app"
	"serverless-websocket/ports"
)

// stalling is a Poster of a process that stands still within its first post.
type stalling struct {
	stall time.Duration
	still chan struct{} // closed then
	got   map[domain.ConnectionID]string
}

func (p *stalling) Prepare(payload []byte) (ports.Post, error) {
	text := string(payload)
	return func(_ context.Context, id domain.ConnectionID) error {
		if p.got == nil {
			p.got = map[domain.ConnectionID]string{}
			close(p.still)
			time.Sleep(p.stall)
		}
		for _, name := range []string{"first", "second", "third", "fourth"} {
			if strings.Contains(text, name) {
				p.got[id] += name + " "
			}
		}
		return nil
	}, nil
}

func (p *stalling) Closing() ports.Post { return nil } // nothing expires

// Messages keep their order when the process, or its machine, stands still for a while.
func TestOrderAfterAStall(t *testing.T) {
	for _, stall := range []time.Duration{5 * time.Second, time.Minute, 8 * time.Hour} {
		t.Run(stall.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &service{log: quiet}
				jobs := memqueue.New(v.queueConfig(1 << 20))
				connections, poster := memstore.New(scanPage), &stalling{stall: stall, still: make(chan struct{})}
				for _, id := range []domain.ConnectionID{"a", "b", "c"} {
					if err := connections.Put(t.Context(), domain.Connection{ID: id, ExpiresAt: time.Now().Add(24 * time.Hour)}); err != nil {
						t.Fatal(err)
					}
				}
				options := fanOutOptions
				options.InFlight = 1
				composed := app.Service{
					Log: quiet, Connections: connections, Subscriptions: memstore.NewSubscriptions(scanPage, connections),
					Policy: domain.Policy{BroadcastBy: domain.Anyone}, Jobs: jobs, Channels: jobs, Parts: jobs, Retries: jobs, DeadLetters: jobs,
					Poster: poster, Options: options,
				}
				publisher := composed.Publisher()
				send := func(name string) {
					content := domain.Content(`"` + name + strings.Repeat("x", domain.MaxPayload/2) + `"`)
					if _, err := publisher.Publish(t.Context(), publish.Command{To: domain.ToEveryone(), Content: content}); err != nil {
						t.Error(err)
					}
				}
				send("first")
				send("second") // does not fit into one post with the first
				source := &eventsource.Source{
					Queue: jobs, Handler: composed.FanOut().Handle, BatchSize: 2, RetryAfter: time.Second, Log: quiet,
				}
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					defer cancel()
					<-poster.still
					send("third")
					send("fourth")
					_ = jobs.WaitIdle(ctx)
				}()
				if err := source.Run(ctx); err != nil {
					t.Fatal(err)
				}
				const all = "first second third fourth "
				if want := fmt.Sprint(map[string]string{"a": all, "b": all, "c": all}); fmt.Sprint(poster.got) != want {
					t.Errorf("got %v", poster.got)
				}
			})
		})
	}
}
