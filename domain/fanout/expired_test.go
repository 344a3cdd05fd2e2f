package fanout_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// expiring is a store that tells of expired rows, like the one on AWS.
type expiring struct {
	ports.ConnectionStore
	rows map[domain.ConnectionID]domain.Connection
}

func (e expiring) Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (ports.Page, error) {
	page, err := e.ConnectionStore.Scan(ctx, segment, from)
	if from == "" {
		for id := range e.rows {
			page.Expired = append(page.Expired, id)
		}
	}
	return page, err
}

func (e expiring) Get(_ context.Context, id domain.ConnectionID) (domain.Connection, error) {
	c, ok := e.rows[id]
	if !ok {
		return c, ports.ErrNotFound
	}
	return c, nil
}

// A broadcast closes the connections of expired tokens and prunes their rows, except those
// that were renewed after the page was read. They get no message.
func TestExpiredConnectionsAreClosed(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(2)
		past, future := time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
		rows := map[domain.ConnectionID]domain.Connection{}
		for id, expires := range map[domain.ConnectionID]time.Time{"expired": past, "gone": past, "failing": past, "renewed": future} {
			w.subscribe(domain.ToUser("alice"), "alice", id)
			if err := w.store.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			rows[id] = domain.Connection{ID: id, User: "alice", RegisteredAt: past, ExpiresAt: expires}
		}
		rows["opening"] = domain.Connection{ID: "opening", User: "alice", RegisteredAt: time.Now(), ExpiresAt: past}
		w.poster.answer["opening"] = always(ports.ErrGone)
		w.faultyStore.ConnectionStore = expiring{w.store, rows}
		var pruned []domain.ConnectionID
		w.worker = fanout.New(fanout.Ports{
			Connections: deletions{w.faultyStore, &pruned}, Subscriptions: w.subscribers, Poster: w.poster,
			Parts: w.queue, Retries: w.queue, DeadLetters: w.dead,
		}, slog.New(slog.DiscardHandler), fanout.Options{})
		w.poster.answer["gone"] = always(ports.ErrGone)
		w.poster.answer["failing"] = always(ports.ErrThrottled)
		w.send(`1`)
		w.work()
		w.wantGot("c-0", `1`)
		if got := w.poster.got["expired"]; !slices.Equal(got, []string{"closed"}) {
			t.Errorf("expired got %q", got)
		}
		if got := w.poster.got["renewed"]; len(got) > 0 {
			t.Errorf("renewed got %q", got)
		}
		slices.Sort(pruned)
		if !slices.Equal(pruned, []domain.ConnectionID{"expired", "gone"}) {
			t.Errorf("pruned %q", pruned)
		}
		if left, err := w.subscribers.Subscriptions(t.Context(), "expired"); len(left) > 0 || err != nil {
			t.Errorf("expired still subscribes: %+v, %v", left, err)
		}
	})(t)
}

// The closings of a redriven job count against the share of retries, like its posts.
func TestARedrivenJobClosesWithinTheShareOfRetries(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(1)
		retryPoster, _, _ := w.apart(fanout.Options{})
		w.faultyStore.ConnectionStore = expiring{w.store, map[domain.ConnectionID]domain.Connection{
			"expired": {ID: "expired", User: "alice", ExpiresAt: time.Now().Add(-time.Minute)},
		}}
		w.queueJob(domain.Job{To: domain.ToEveryone(), Reason: "redriven"}, "", "", `1`)
		w.work()
		if retryPoster.posts != 2 || w.poster.posts != 0 {
			t.Errorf("%d posts by the share of retries, %d by the other", retryPoster.posts, w.poster.posts)
		}
	})(t)
}

// deletions records what is deleted.
type deletions struct {
	ports.ConnectionStore
	ids *[]domain.ConnectionID
}

func (d deletions) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	*d.ids = append(*d.ids, ids...)
	return d.ConnectionStore.Delete(ctx, ids...)
}
