package fanout

import (
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// number appends the messages of a batch for all its recipients to their log, and returns
// the batch with the numbers that they have there: one batch for each epoch, which is one
// unless the log has just started over. A message must be in the log before anyone gets it:
// a client that reads the log first, and one that is registered first, both miss nothing.
// For the same reason it must be in its conversation before its recipient gets it.
//
// Messages that could not be appended, or put into their conversations, are requeued, and
// the others go on. The error is that of the requeueing. A message that is too large for a
// log, because it was accepted before there was one, goes on without a number. A repeat
// goes no further: the message in the log has a job of its own.
func (w *Worker) number(within budget, b batch) (numbered []batch, err error) {
	again := b.again || b.Attempt > 0 || b.Reason != ""
	left := b.Messages
	for some, size := range domain.Divide(b.To, "", b.Messages, domain.MaxLogged) {
		if size > domain.MaxLogged {
			numbered = addTo(numbered, b, "", some[0])
			left = left[1:]
			continue
		}
		entries, err := w.outside.Log.Append(within.posts, b.To, some, again)
		if err == nil {
			err = w.converse(within, b.To, some, entries)
		}
		if err != nil {
			w.warn(within.ctx, "not logged", left, err)
			rest := b
			rest.Messages = left
			return numbered, w.requeue(within.ctx, w.unnumbered(within, rest, err))
		}
		for i, m := range some {
			if first := entries[i].RepeatOf; first != "" {
				w.observe(func(o Observer) { o.Repeated(within.ctx, m.ID, first) })
				continue
			}
			m.Seq = entries[i].Seq
			numbered = addTo(numbered, b, entries[i].Epoch, m)
		}
		left = left[len(some):]
	}
	for i := range numbered {
		numbered[i].Messages = ordered(numbered[i].Messages)
	}
	return numbered, nil
}

// converse puts messages that a user gets into their conversations, but no repeats. That is
// not done again for the log of the sender.
func (w *Worker) converse(within budget, to domain.Recipients, messages []domain.Message, entries []ports.Entry) error {
	if w.outside.Conversations == nil || to.Kind != domain.User {
		return nil
	}
	var received []domain.Message
	for i, m := range messages {
		if m.To == to.Name && entries[i].RepeatOf == "" {
			received = append(received, m)
		}
	}
	if len(received) == 0 {
		return nil
	}
	return w.outside.Conversations.Put(within.posts, received)
}

// unnumbered returns the job for messages that could not be appended. That there was no
// time is no failed attempt, but they may be in the log.
func (w *Worker) unnumbered(within budget, rest batch, err error) requeuedJob {
	which := unavailable
	if within.posts.Err() != nil {
		which, err, rest.Attempt = untried, nil, max(1, rest.Attempt)
	}
	return w.options.requeued(rest, scope{span: rest.Span}, which, err)
}

// addTo adds the message to the batch of its epoch. From here on its ref serves no purpose.
func addTo(batches []batch, like batch, epoch domain.Epoch, m domain.Message) []batch {
	m.Ref, m.Again = "", false
	for i := range batches {
		if batches[i].Epoch == epoch {
			batches[i].Messages = append(batches[i].Messages, m)
			return batches
		}
	}
	like.Epoch, like.Messages = epoch, []domain.Message{m}
	return append(batches, like)
}
