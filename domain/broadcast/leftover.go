package broadcast

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// leftover is a job to be put on the queue.
type leftover struct {
	job    domain.Job
	delay  time.Duration
	reason error // why it failed; nil if it did not
}

// carriedOn is what nobody has tried yet.
func (b batch) carriedOn(rest domain.Audience) leftover {
	return leftover{job: domain.Job{Messages: b.messages, Audience: rest, Seen: b.seen, Attempt: b.attempt}}
}

// later is what to try again after the delay, without holding the try against it.
func (b batch) later(rest domain.Audience, delay time.Duration) leftover {
	l := b.carriedOn(rest)
	l.delay = delay
	return l
}

// failed is what was tried in vain, and why.
func (b batch) failed(rest domain.Audience, reason error) leftover {
	l := b.carriedOn(rest)
	l.job.Attempt++
	l.reason = reason
	return l
}

// rests groups targets by the envelope they stopped at: for each group, the
// batch from that envelope on and the connections that still have to get it.
func (p *pass) rests(targets []target) iter.Seq2[batch, domain.Audience] {
	only := make(map[int][]domain.Connection)
	for _, t := range targets {
		only[t.envelope] = append(only[t.envelope], t.connection)
	}
	return func(yield func(batch, domain.Audience) bool) {
		for envelope, connections := range only {
			rest := p.batch
			rest.messages = rest.messages[p.from[envelope]:]
			if !yield(rest, domain.Audience{Only: connections}) {
				return
			}
		}
	}
}

// leaveOver puts part of the pass's work back on the queue.
func (p *pass) leaveOver(l leftover) {
	p.tally.leftOver += len(l.job.Audience.Only)
	if err := p.leave(p.ctx, l); err != nil {
		p.lost = err
	}
}

// leave puts jobs on the queue, or on the dead-letter queue when they have
// failed too often. The error has been logged.
func (f *FanOut) leave(ctx context.Context, leftovers ...leftover) error {
	var messages []ports.QueueMessage
	for _, l := range leftovers {
		if l.reason != nil && l.job.Attempt >= f.options.MaxAttempts {
			if err := f.giveUp(ctx, l); err != nil {
				return err
			}
			continue
		}
		delay := l.delay
		if l.reason != nil {
			delay = f.options.requeueDelay(l.job.Attempt)
		}
		for _, body := range fitted(l.job) {
			messages = append(messages, ports.QueueMessage{Body: body, Delay: delay})
		}
	}
	if len(messages) == 0 {
		return nil
	}
	if err := f.queue.Send(ctx, messages...); err != nil {
		err = fmt.Errorf("put %d jobs back on the queue: %w", len(messages), err)
		f.log.ErrorContext(ctx, "work not left over, its deliveries will come again", "error", err)
		return err
	}
	return nil
}

// giveUp puts a job on the dead-letter queue with its reason, ready to be sent
// back as it is.
func (f *FanOut) giveUp(ctx context.Context, l leftover) error {
	l.job.Attempt = 0
	l.job.Reason = l.reason.Error()
	var messages []ports.QueueMessage
	for _, body := range fitted(l.job) {
		messages = append(messages, ports.QueueMessage{Body: body})
	}
	if err := f.deadLetters.Send(ctx, messages...); err != nil {
		err = fmt.Errorf("put a job on the dead-letter queue: %w", err)
		f.log.ErrorContext(ctx, "work not given up, its deliveries will come again", "error", err)
		return err
	}
	for _, part := range portions(l.job.Messages) {
		f.log.ErrorContext(ctx, "given up: the job is on the dead-letter queue", "messageIds", part,
			"connections", len(l.job.Audience.Only), "attempts", f.options.MaxAttempts, "reason", l.job.Reason)
	}
	return nil
}

// fitted encodes the job, cut into as many as it takes for each to fit into a
// queue message. The heavier part is cut: the messages if they alone fill half
// of one, else the connections.
func fitted(job domain.Job) []string {
	body := encodeJob(job)
	messages, only := job.Messages, job.Audience.Only
	if len(body) <= ports.MaxQueueBody || len(messages) < 2 && len(only) < 2 {
		return []string{body}
	}
	head, tail := job, job
	if n := len(messages) / 2; n > 0 && (len(only) < 2 || weight(messages) > ports.MaxQueueBody/2) {
		head.Messages, tail.Messages = messages[:n], messages[n:]
	} else {
		n := len(only) / 2
		head.Audience.Only, tail.Audience.Only = only[:n], only[n:]
	}
	return append(fitted(head), fitted(tail)...)
}

func weight(messages []domain.Message) (bytes int) {
	for _, m := range messages {
		bytes += len(encodeJob(domain.Job{Messages: []domain.Message{m}}))
	}
	return bytes
}

// portions returns the ids in portions that fit a log line.
func portions(messages []domain.Message) [][]domain.MessageID {
	ids := make([]domain.MessageID, 0, len(messages))
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return slices.Collect(slices.Chunk(ids, 100))
}
