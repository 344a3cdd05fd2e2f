package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// maxPuts is how often a queue is offered again what it did not take.
const maxPuts = 2

// leftover is a job to be put on a queue.
type leftover struct {
	job      domain.Job
	delay    time.Duration
	reason   error // why it failed; nil if it did not
	hopeless bool  // no other try can change it
}

// leaveOver puts part of the pass's work back on the queue.
func (p *pass) leaveOver(jobs ...leftover) {
	for _, l := range jobs {
		p.tally.leftOver += len(l.job.Only)
	}
	if err := p.worker.leave(p.budget.ctx, jobs...); err != nil {
		p.lost = err
	}
}

// leave puts jobs on their queues, or on the dead-letter queue when they have
// failed too often. The error has been logged.
func (w *Worker) leave(ctx context.Context, jobs ...leftover) error {
	var parts, retries, dead []ports.QueueMessage
	for _, l := range jobs {
		if l.hopeless || l.reason != nil && l.job.Attempt >= w.options.MaxAttempts {
			dead = append(dead, w.givenUp(ctx, l)...)
			continue
		}
		if l.job.Retry() {
			retries = append(retries, messages(l.job, l.delay)...)
		} else {
			parts = append(parts, messages(l.job, l.delay)...)
		}
	}
	return errors.Join(
		w.put(ctx, "the queue of parts", w.outside.Parts, parts),
		w.put(ctx, "the queue of retries", w.outside.Retries, retries),
		w.put(ctx, "the dead-letter queue", w.outside.DeadLetters, dead),
	)
}

// givenUp returns the dead letters for a job, ready to be sent back as they are.
func (w *Worker) givenUp(ctx context.Context, l leftover) []ports.QueueMessage {
	l.job.Reason = l.reason.Error()
	for _, part := range chunks(l.job.Messages) {
		w.log.ErrorContext(ctx, "given up: the job goes to the dead-letter queue", "messageIds", part,
			"connections", len(l.job.Only), "attempts", l.job.Attempt, "reason", l.job.Reason)
	}
	l.job.Attempt = min(1, len(l.job.Only)) // as good as new, but by name still a retry
	return messages(l.job, 0)
}

// put sends the messages. What the queue does not take at first it is offered
// again after a pause: a whole pass would have to be repeated otherwise.
func (w *Worker) put(ctx context.Context, name string, queue ports.Queue, messages []ports.QueueMessage) error {
	if len(messages) == 0 {
		return nil
	}
	err := queue.Send(ctx, messages...)
	for try := 0; err != nil && try < maxPuts && sleep(ctx, jittered(w.options.Backoff<<try)); try++ {
		messages = refused(messages, err)
		err = queue.Send(ctx, messages...)
	}
	if err != nil {
		err = fmt.Errorf("put %d jobs on %s: %w", len(messages), name, err)
		w.log.ErrorContext(ctx, "work not left over, its deliveries will come again", "error", err)
	}
	return err
}

// refused returns the messages that have to be sent again after the error.
func refused(messages []ports.QueueMessage, err error) []ports.QueueMessage {
	var partly *ports.SendError
	if !errors.As(err, &partly) {
		return messages
	}
	var again []ports.QueueMessage
	for i, m := range messages {
		if partly.Failed[i] != nil {
			again = append(again, m)
		}
	}
	return again
}

// messages returns what to send for the job: more than one message if it is too
// large for one.
func messages(job domain.Job, delay time.Duration) []ports.QueueMessage {
	var all []ports.QueueMessage
	for _, body := range splitToFit(job) {
		all = append(all, ports.QueueMessage{Body: body, Delay: delay})
	}
	return all
}

// splitToFit encodes the job, cut into as many as it takes for each to fit into a
// queue message. The heavier part is cut: the messages if they alone fill half
// of one, else the connections.
func splitToFit(job domain.Job) []string {
	body := job.Encode()
	messages, only := job.Messages, job.Only
	if len(body) <= ports.MaxQueueBody || len(messages) < 2 && len(only) < 2 {
		return []string{body}
	}
	head, tail := job, job
	if n := len(messages) / 2; n > 0 && (len(only) < 2 || weight(messages) > ports.MaxQueueBody/2) {
		head.Messages, tail.Messages = messages[:n], messages[n:]
	} else {
		n := len(only) / 2
		head.Only, tail.Only = only[:n], only[n:]
	}
	return append(splitToFit(head), splitToFit(tail)...)
}

func weight(messages []domain.Message) (bytes int) {
	for _, m := range messages {
		bytes += len(domain.Job{Messages: []domain.Message{m}, To: domain.ToEveryone()}.Encode())
	}
	return bytes
}

// portions returns the ids in portions that fit a log line.
func chunks(messages []domain.Message) [][]domain.MessageID {
	ids := make([]domain.MessageID, 0, len(messages))
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return slices.Collect(slices.Chunk(ids, 100))
}
