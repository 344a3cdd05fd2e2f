package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/adapters/diskstore"
	"serverless-websocket/adapters/memlog"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/domain/publish"
	"serverless-websocket/functions/app"
	"serverless-websocket/ports"
)

// publishers is how many clients send at once, each when its last message is accepted.
const publishers = 64

// text is the content of each message.
var text = `"` + strings.Repeat("x", payloadSize-2) + `"`

// diskResults are accepts a second, each with its entry in the log.
type diskResults struct {
	alone, together accepts
}

// accepts are the medians in memory and on disk, and how often the latter waited for the
// disk.
type accepts struct{ memory, disk, syncs float64 }

// measureDisk has messages accepted, logged and forgotten, in memory and on disk in turn.
func measureDisk(progress io.Writer, size sizes) (r diskResults, err error) {
	if r.alone, err = compareAccepts(size.rounds, 1, size.accepts/publishers); err != nil {
		return r, err
	}
	r.together, err = compareAccepts(size.rounds, publishers, size.accepts)
	fmt.Fprintf(progress, "disk: %.0f accepts/s in memory, %.0f on disk\n", r.together.memory, r.together.disk)
	return r, err
}

func compareAccepts(rounds, senders, messages int) (accepts, error) {
	var memory, disk, syncs []float64
	for range rounds {
		rate, err := acceptInMemory(senders, messages)
		if err != nil {
			return accepts{}, err
		}
		durable, waits, err := acceptOnDisk(senders, messages)
		if err != nil {
			return accepts{}, err
		}
		memory, disk, syncs = append(memory, rate), append(disk, durable), append(syncs, waits)
	}
	return accepts{middle(memory), middle(disk), middle(syncs)}, nil
}

func acceptInMemory(senders, messages int) (perSecond float64, err error) {
	return acceptAll(memqueue.New(memqueue.Config{}), memlog.New(memlog.Options{}), senders, messages)
}

// acceptOnDisk also returns how many syncs a message took.
func acceptOnDisk(senders, messages int) (perSecond, syncs float64, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	store, err := diskstore.Open(dir, diskstore.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	before := store.Syncs()
	queue := memqueue.New(memqueue.Config{Journal: store.Journal("jobs")})
	perSecond, err = acceptAll(queue, store, senders, messages)
	return perSecond, float64(store.Syncs()-before) / float64(messages), err
}

// acceptAll has senders publish to everyone, while a worker logs what is on the queue.
func acceptAll(queue *memqueue.Queue, log ports.MessageLog, senders, messages int) (perSecond float64, err error) {
	publisher := app.Service{Jobs: queue, Policy: domain.Policy{BroadcastBy: domain.Anyone}}.Publisher()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	logged := make(chan error, 1)
	go func() { logged <- logAll(ctx, queue, log, messages) }()
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, senders)
	start := time.Now()
	for i := range senders {
		group.Go(func() {
			for errs[i] == nil && next.Add(1) <= int64(messages) {
				_, errs[i] = publisher.Publish(ctx, publish.Command{To: domain.ToEveryone(), Content: domain.Content(text)})
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	if err := <-logged; err != nil {
		return 0, err
	}
	return float64(messages) / time.Since(start).Seconds(), nil
}

// logAll logs what it receives, in envelopes as a worker does, until it has seen all.
func logAll(ctx context.Context, queue *memqueue.Queue, log ports.MessageLog, left int) error {
	for left > 0 {
		batch, err := queue.Receive(ctx, left)
		if err != nil {
			return err
		}
		var messages []domain.Message
		var receipts []string
		for _, one := range batch {
			job, err := domain.DecodeJob(one.Body)
			if err != nil {
				return err
			}
			messages, receipts = append(messages, job.Messages...), append(receipts, one.Receipt)
		}
		for _, envelope := range domain.Pack(domain.ToEveryone(), "", messages, domain.MaxLogged) {
			if _, err := log.Append(ctx, domain.ToEveryone(), envelope.Messages, false); err != nil {
				return err
			}
		}
		left -= len(batch)
		if err := queue.Delete(receipts...); err != nil {
			return err
		}
	}
	return nil
}

func (a accepts) rows(name string) [][]string {
	return [][]string{
		{name + ", in memory", fmt.Sprintf("%.0f", a.memory), "1.00×", "0"},
		{name + ", on disk", fmt.Sprintf("%.0f", a.disk), fmt.Sprintf("%.2f×", a.disk/a.memory), fmt.Sprintf("%.2f", a.syncs)},
	}
}
