package memqueue

import "log/slog"

// Observer has a hook for what happens to a message that is not deleted in time. The
// queue is locked while it calls one: hooks must not block, and must not call the
// queue.
type Observer interface {
	// Redelivered is called when a message becomes visible again.
	Redelivered(m Message)
	// DeadLettered is called when a message has moved to the dead-letter queue.
	DeadLettered(m Message)
	// DeadLettersFull is called when a message stays on its queue since the
	// dead-letter queue is full. It is redelivered.
	DeadLettersFull(m Message)
}

// observe calls a hook of every observer.
func (c Config) observe(hook func(Observer)) {
	hook(logObserver{c.Log})
	if c.Observer != nil {
		hook(c.Observer)
	}
}

// logObserver writes Config.Log.
type logObserver struct{ log *slog.Logger }

func (logObserver) Redelivered(Message) {}

func (o logObserver) DeadLettered(m Message) {
	o.log.Error("message moved to the dead-letter queue",
		"messageId", m.ID, "receives", m.ReceiveCount, "sentAt", m.SentAt)
}

func (o logObserver) DeadLettersFull(m Message) {
	o.log.Error("dead-letter queue full; message stays on its queue",
		"messageId", m.ID, "receives", m.ReceiveCount, "sentAt", m.SentAt)
}
