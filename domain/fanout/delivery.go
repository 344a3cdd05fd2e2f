package fanout

import (
	"context"
	"slices"
	"time"

	"serverless-websocket/domain"
)

// Delivery is one message from a queue.
type Delivery struct {
	ID   string // of the queue message
	Body string
	// Again says that the queue has delivered it before, or may have.
	Again bool
	// QueuedAt is when the queue took it; zero if that is unknown.
	QueuedAt time.Time
}

// acceptTime is within what time of a message the queue has its job, by clocks that differ.
const acceptTime = time.Minute

// sentBack reports whether a message of the job is older than that. Then an operator has sent
// back a dead letter: the queue made one of a job that its workers had begun, perhaps, and
// counts its deliveries anew.
func (d Delivery) sentBack(job domain.Job) bool {
	return slices.ContainsFunc(job.Messages, func(m domain.Message) bool { return d.QueuedAt.Sub(m.SentAt) > acceptTime })
}

func ids(deliveries []Delivery) []string {
	all := make([]string, 0, len(deliveries))
	for _, d := range deliveries {
		all = append(all, d.ID)
	}
	return all
}

// decode reads the bodies and returns the jobs for each of their recipients. One that is
// not a job fails alone, at each delivery, until the queue moves it to its dead-letter
// queue.
func (w *Worker) decode(ctx context.Context, deliveries []Delivery) (jobs []received, failed []string) {
	for _, d := range deliveries {
		job, err := domain.DecodeJob(d.Body)
		if err != nil {
			w.log.ErrorContext(ctx, "job refused", "queueMessage", d.ID, "error", err)
			failed = append(failed, d.ID)
			continue
		}
		for _, one := range job.Channels() {
			jobs = append(jobs, received{one, d.ID, d.Again || d.sentBack(one)})
		}
	}
	return jobs, failed
}
