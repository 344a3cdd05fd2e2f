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

// maxResends is how often a worker sends again what a queue did not take.
const maxResends = 2

// requeue puts each job on its queue, or on the dead-letter queue when it has no
// attempt left. The error has been logged.
func (w *Worker) requeue(ctx context.Context, jobs ...requeuedJob) error {
	var parts, channels, retries, dead []ports.QueueMessage
	for _, job := range jobs {
		switch {
		case job.hopeless || job.err != nil && job.Attempt >= w.options.MaxAttempts:
			dead = append(dead, w.deadLetters(ctx, job)...)
		case job.Retry():
			retries = append(retries, messages(job.Job, job.delay)...)
		case w.lane(job.To) == &w.channels:
			channels = append(channels, messages(job.Job, job.delay)...)
		default:
			parts = append(parts, messages(job.Job, job.delay)...)
		}
	}
	return errors.Join(
		w.send(ctx, "parts", w.broadcasts.queue, parts),
		w.send(ctx, "jobs for users and rooms", w.channels.queue, channels),
		w.send(ctx, "retries", w.outside.Retries, retries),
		w.send(ctx, "dead letters", w.outside.DeadLetters, dead),
	)
}

// deadLetters returns the queue messages for a job that failed, with the reason, so
// that an operator can redrive them as they are.
func (w *Worker) deadLetters(ctx context.Context, job requeuedJob) []ports.QueueMessage {
	job.Reason = job.err.Error()
	w.observe(func(o Observer) { o.DeadLettered(ctx, job.Job) })
	job.Attempt = min(1, len(job.Only)) // as good as new, but by name still a retry
	return messages(job.Job, 0)
}

// send sends the messages, and after a pause, up to maxResends times, those that the queue
// did not take: otherwise a whole pass would have to be repeated.
func (w *Worker) send(ctx context.Context, name string, queue ports.Queue, messages []ports.QueueMessage) error {
	if len(messages) == 0 {
		return nil
	}
	err := queue.Send(ctx, messages...)
	for try := 0; err != nil && try < maxResends && sleep(ctx, jittered(w.options.Backoff<<try)); try++ {
		messages = refused(messages, err)
		err = queue.Send(ctx, messages...)
	}
	if err != nil {
		err = fmt.Errorf("send %d messages to the queue of %s: %w", len(messages), name, err)
		w.log.ErrorContext(ctx, "requeue failed; the jobs will be redelivered", "error", err)
	}
	return err
}

// refused returns the messages that the error says were not sent.
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

// messages returns the queue messages for a job: several if it is too large for one.
func messages(job domain.Job, delay time.Duration) []ports.QueueMessage {
	var all []ports.QueueMessage
	for _, body := range splitToFit(job) {
		all = append(all, ports.QueueMessage{Body: body, Delay: delay})
	}
	return all
}

// splitToFit encodes the job, and halves it until each part fits a queue message.
// It halves the messages if they alone fill half of one, else the connections.
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

// chunks returns the ids of the messages in chunks that fit a log line.
func chunks(messages []domain.Message) [][]domain.MessageID {
	ids := make([]domain.MessageID, 0, len(messages))
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return slices.Collect(slices.Chunk(ids, 100))
}
