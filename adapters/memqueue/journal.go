package memqueue

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"serverless-websocket/ports"
)

// Journal keeps the bodies of a queue beyond the end of the process. It is safe for
// concurrent use.
type Journal interface {
	// Kept has what is kept when the queue is made, oldest first, with its keys.
	Kept() iter.Seq2[uint64, string]
	// Keep returns once the bodies of the messages are kept. Before that it calls kept with
	// their keys, for one call after the other, in the order in which it keeps them. After an
	// error they are given up, as by Forget, unless kept was called: then nobody knows whether
	// they are kept. One of an ended context can come while they are being kept.
	Keep(ctx context.Context, messages []ports.QueueMessage, kept func(keys []uint64)) error
	// Forget gives bodies up. It does not wait, and the end of the process can undo it.
	Forget(keys ...uint64)
}

// restore puts what the journal has kept onto the queue. It may have been received: who
// receives it now must look for what came of that.
func (q *Queue) restore() {
	now := time.Now()
	for key, body := range q.cfg.Journal.Kept() {
		m := &message{id: uuid.NewString(), body: body, key: key, sentAt: now, firstReceivedAt: now, receives: 1}
		q.bytes += len(body)
		q.show(m)
	}
}

// keep puts messages into the journal, and onto the queue in the journal's order. It records
// what the journal does not keep, and frees its room unless the journal may have kept it.
func (q *Queue) keep(ctx context.Context, all []sending, failed map[int]error) {
	messages := make([]ports.QueueMessage, len(all))
	for i, one := range all {
		messages[i] = one.sent
	}
	stored := false
	err := q.cfg.Journal.Keep(ctx, messages, func(keys []uint64) {
		for i := range keys {
			all[i].key = keys[i]
		}
		q.store(all)
		stored = true
	})
	if err == nil {
		return
	}
	for _, one := range all {
		failed[one.place] = err
	}
	if !stored {
		q.free(all)
	}
}
