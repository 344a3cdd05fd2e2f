package dynamostore

import "time"

// SetClock makes the log take the time from there. To be called before its first use.
func (l *MessageLog) SetClock(now func() time.Time) { l.now = now }

// SetClock is as that of a log.
func (c *Conversations) SetClock(now func() time.Time) { c.now = now }

// LogKey is the key of a row of a log.
var LogKey = logKey

// Remembered returns how many bytes of how many logs the log remembers for readers.
func (l *MessageLog) Remembered() (bytes, logs int) {
	l.tails.mu.Lock()
	defer l.tails.mu.Unlock()
	return l.tails.size, len(l.tails.of)
}
