package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/domain/publish"
	"serverless-websocket/functions/app"
	"serverless-websocket/ports"
)

// sideBySide is how many messages are fanned out at once when each has its own pass, so
// that none waits for the last posts of another.
const sideBySide = 8

// coalescingResults are those of messages that wait together.
type coalescingResults struct {
	messages, connections int
	oneByOne, together    delivery
}

// delivery is the cost of delivering all messages to all connections.
type delivery struct {
	posts int64
	took  time.Duration
}

// compareCoalescing fans out the same messages twice, each in its own pass and all in
// one, through the real engine, poster and endpoint.
func compareCoalescing(progress io.Writer, size sizes) (coalescingResults, error) {
	e, server, err := startEndpoint(false)
	if err != nil {
		return coalescingResults{}, err
	}
	defer server.stop()
	roots, err := e.roots()
	if err != nil {
		return coalescingResults{}, err
	}
	counted := &counter{Poster: newPoster(target{endpoint: e, roots: roots, inFlight: size.inFlight})}
	worker, jobs, err := newWorker(counted, size)
	if err != nil {
		return coalescingResults{}, err
	}
	if _, err := counted.during(func() error { return handle(worker, jobs[:1]) }); err != nil {
		return coalescingResults{}, err // it opens the connections
	}
	r := coalescingResults{messages: size.messages, connections: size.connections}
	if r.oneByOne, err = counted.during(func() error { return handleEach(worker, jobs) }); err != nil {
		return r, err
	}
	if r.together, err = counted.during(func() error { return handle(worker, jobs) }); err != nil {
		return r, err
	}
	fmt.Fprintf(progress, "coalescing: %d posts in %v one by one, %d in %v together\n",
		r.oneByOne.posts, r.oneByOne.took, r.together.posts, r.together.took)
	return r, nil
}

func newWorker(poster ports.Poster, size sizes) (*fanout.Worker, []fanout.Delivery, error) {
	store := memstore.New(0)
	for i := range size.connections {
		if err := store.Put(context.Background(), row(i)); err != nil {
			return nil, nil, err
		}
	}
	jobs, err := newJobs(size.messages)
	return service(store, poster, refuse{}, fanout.Options{InFlight: size.inFlight}).Worker(), jobs, err
}

// row is a connection that was registered a minute ago.
func row(i int) domain.Connection {
	return domain.Connection{
		ID:           connectionID(int64(i)),
		RegisteredAt: time.Now().Add(-time.Minute),
		ExpiresAt:    time.Now().Add(time.Hour),
	}
}

// newJobs returns the jobs that the service makes of messages of 300 bytes.
func newJobs(messages int) ([]fanout.Delivery, error) {
	var queue capture
	ids := 0
	sender := app.Service{Jobs: &queue, Policy: domain.Policy{BroadcastBy: domain.Anyone}, NewID: func(time.Time) domain.MessageID {
		ids++
		return domain.MessageID(fmt.Sprintf("01J%023d", ids))
	}}.Publisher()
	content := domain.Content(`"` + strings.Repeat("x", payloadSize-2) + `"`)
	command := publish.Command{To: domain.ToEveryone(), Content: content}
	for range messages {
		if _, err := sender.Publish(context.Background(), command); err != nil {
			return nil, err
		}
	}
	return queue.deliveries, nil
}

func handle(worker *fanout.Worker, jobs []fanout.Delivery) error {
	if failed := worker.Handle(context.Background(), jobs); len(failed) > 0 {
		return fmt.Errorf("%d of %d jobs failed", len(failed), len(jobs))
	}
	return nil
}

func handleEach(worker *fanout.Worker, jobs []fanout.Delivery) error {
	errs := make([]error, sideBySide)
	var passes sync.WaitGroup
	for i := range sideBySide {
		passes.Go(func() {
			for j := i; j < len(jobs) && errs[i] == nil; j += sideBySide {
				errs[i] = handle(worker, jobs[j:j+1])
			}
		})
	}
	passes.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// capture is a queue that turns what is sent into deliveries.
type capture struct {
	deliveries []fanout.Delivery
}

func (c *capture) Send(_ context.Context, messages ...ports.QueueMessage) error {
	for _, m := range messages {
		c.deliveries = append(c.deliveries, fanout.Delivery{ID: fmt.Sprint(len(c.deliveries)), Body: m.Body})
	}
	return nil
}

// refuse is a queue for a worker that must not requeue anything.
type refuse struct{}

func (refuse) Send(context.Context, ...ports.QueueMessage) error {
	return fmt.Errorf("posts failed: their work was requeued")
}

// counter counts posts.
type counter struct {
	ports.Poster
	posts atomic.Int64
}

func (c *counter) Prepare(payload []byte) (ports.Post, error) {
	post, err := c.Poster.Prepare(payload)
	return func(ctx context.Context, id domain.ConnectionID) error {
		c.posts.Add(1)
		return post(ctx, id)
	}, err
}

func (c *counter) during(work func() error) (delivery, error) {
	c.posts.Store(0)
	start := time.Now()
	err := work()
	return delivery{c.posts.Load(), time.Since(start)}, err
}
