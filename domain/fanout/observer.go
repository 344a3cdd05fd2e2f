package fanout

import (
	"context"
	"log/slog"

	"serverless-websocket/domain"
)

// Observer hears what a worker does. Its methods may be called concurrently, and the
// worker waits for them: they must not block.
type Observer interface {
	// Split hears that a job became parts, one for each segment of the table.
	Split(ctx context.Context, messages []domain.Message, segments int)
	// Passed hears what a pass did.
	Passed(ctx context.Context, r Report)
	// Repeated hears of a message that its sender has sent again, and that goes no further:
	// the first is in the log, or comes there now.
	Repeated(ctx context.Context, repeat, first domain.MessageID)
	// DeadLettered hears of a job that goes to the dead-letter queue, with its reason
	// and the attempts that failed.
	DeadLettered(ctx context.Context, job domain.Job)
}

// observe calls a hook of every observer.
func (w *Worker) observe(hook func(Observer)) {
	for _, o := range w.observers {
		hook(o)
	}
}

// logObserver logs what a worker does. Each of the messages can be found by its id:
// where their ids do not fit one line there are more, with the same message.
type logObserver struct{ log *slog.Logger }

func (l logObserver) Split(ctx context.Context, messages []domain.Message, segments int) {
	for _, ids := range chunks(messages) {
		l.log.InfoContext(ctx, "split", "messageIds", ids, "segments", segments)
	}
}

// Passed logs the counts on the first line. The others name the first message, by
// which to find the counts.
func (l logObserver) Passed(ctx context.Context, r Report) {
	level, first := levelOf(r), r.Job.Messages[0]
	for i, ids := range chunks(r.Job.Messages) {
		if i > 0 {
			l.log.Log(ctx, level, "fanned out (continued)", "messageIds", ids, "with", first.ID)
			continue
		}
		l.log.Log(ctx, level, "fanned out", append(counts(r), "messageIds", ids,
			"durationMs", r.Took.Milliseconds(), "ageMs", r.Age.Milliseconds())...)
	}
}

func (l logObserver) Repeated(ctx context.Context, repeat, first domain.MessageID) {
	l.log.InfoContext(ctx, "repeated", "messageId", repeat, "repeatOf", first)
}

func (l logObserver) DeadLettered(ctx context.Context, job domain.Job) {
	for _, ids := range chunks(job.Messages) {
		l.log.ErrorContext(ctx, "given up: the job goes to the dead-letter queue", "messageIds", ids,
			"connections", len(job.Only), "attempts", job.Attempt, "reason", job.Reason)
	}
}

// levelOf returns Warn for an error that is neither throttling nor a timeout, and Debug
// for a retry that delivered and pruned nothing, of which a slow client causes many.
func levelOf(r Report) slog.Level {
	switch {
	case unexpected(r.Err):
		return slog.LevelWarn
	case r.Job.Retry() && r.Delivered == 0 && r.Gone == 0:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func counts(r Report) []any {
	counts := []any{"messages", len(r.Job.Messages), "audience", r.Audience(), "attempt", r.Job.Attempt,
		"delivered", r.Delivered, "gone", r.Gone, "closed", r.Closed, "throttled", r.Throttled, "failed", r.Failed,
		"notYetOpen", r.NotYetOpen, "unconfirmed", r.Unconfirmed,
		"requeued", r.Requeued, "scanRequeued", r.ScanRequeued, "posts", r.Posts, "pages", r.Pages}
	if r.Err != nil {
		counts = append(counts, "reason", r.Err.Error())
	}
	return counts
}
