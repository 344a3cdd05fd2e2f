package fanout

import (
	"context"
	"fmt"

	"serverless-websocket/domain"
)

// Delivery is one message from a queue.
type Delivery struct {
	ID   string // of the queue message
	Body string
}

func ids(deliveries []Delivery) []string {
	all := make([]string, 0, len(deliveries))
	for _, d := range deliveries {
		all = append(all, d.ID)
	}
	return all
}

// UnservedError is why a job became a dead letter without an attempt: this release
// cannot find its recipients. It must not become a job for everyone.
type UnservedError struct{ To domain.Recipients }

func (e *UnservedError) Error() string {
	return fmt.Sprintf("this release can post to everyone, but not to %s", e.To)
}

// decode reads the bodies. One that is not a job fails alone, at each delivery, until
// the queue moves it to its dead-letter queue. A job that is not for everyone becomes
// a dead letter.
func (w *Worker) decode(ctx context.Context, deliveries []Delivery) (jobs []received, failed []string) {
	for _, d := range deliveries {
		job, err := domain.DecodeJob(d.Body)
		switch {
		case err != nil:
			w.log.ErrorContext(ctx, "job refused", "queueMessage", d.ID, "error", err)
			failed = append(failed, d.ID)
		case job.To == domain.ToEveryone():
			jobs = append(jobs, received{job, d.ID})
		case w.requeue(ctx, requeuedJob{Job: job, err: &UnservedError{job.To}, hopeless: true}) != nil:
			failed = append(failed, d.ID)
		}
	}
	return jobs, failed
}
