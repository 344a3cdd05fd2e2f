// Package memlog keeps the latest messages of each channel and conversation in the memory of
// one process.
package memlog

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Options tune a log. The zero value of a field means its default.
type Options struct {
	// Retention is how long a message is kept. Default: 24 hours.
	Retention time.Duration
	// MaxBytes bounds the memory of the messages that are kept. Above it those that were
	// appended first are dropped, of whatever channel. The messages of one Append are
	// kept in any case. Default: 64 MiB.
	MaxBytes int
	// NewEpoch names an epoch. Default: eight random characters.
	NewEpoch func() domain.Epoch
	// Name is that of the log for domain.NothingSince. Default: seven random characters.
	Name string
}

// Log implements ports.MessageLog. The errors of its methods are those of a context that
// has ended, ErrExpired and ErrReset.
//
// A message that was dropped to save memory counts as expired.
type Log struct {
	opts Options

	mu            sync.Mutex
	channels      map[domain.Recipients]*channel // those that have messages
	known         map[identity]domain.Position   // of the messages that are kept
	tried         map[tag]domain.Message         // the newest kept with each tag, without content
	conversations map[domain.Conversation]*conversation
	oldest        fifo[mark] // all that are kept, as they were appended
	bytes         int        // the sizes of all that are kept
	dropped       time.Time  // when the newest that a channel has dropped was appended
}

// channel is the part of a channel's log that is kept, which is never empty.
type channel struct {
	to    domain.Recipients
	epoch domain.Epoch
	kept  fifo[domain.Message]
}

// mark stands for the oldest message that its channel will have when the marks before it
// are gone or, if that is nil, for a message of a conversation.
type mark struct {
	channel      *channel
	conversation *conversation
	id           domain.MessageID // in a conversation
	at           time.Time        // when it was appended
}

// identity is what a message is found by.
type identity struct {
	to domain.Recipients
	id domain.MessageID
}

// tag is what a message and its repeats share.
type tag struct {
	channel         domain.Recipients
	sender, to, ref string
}

func tagOf(to domain.Recipients, m domain.Message) tag { return tag{to, m.Sender, m.To, m.Ref} }

// New returns an empty log.
func New(opts Options) *Log {
	opts.Retention = cmp.Or(opts.Retention, 24*time.Hour)
	opts.MaxBytes = cmp.Or(opts.MaxBytes, 64<<20)
	opts.Name = cmp.Or(opts.Name, string(randomEpoch()[:7]))
	if opts.NewEpoch == nil {
		opts.NewEpoch = randomEpoch
	}
	return &Log{
		opts: opts, channels: make(map[domain.Recipients]*channel), conversations: make(map[domain.Conversation]*conversation),
		known: make(map[identity]domain.Position), tried: make(map[tag]domain.Message),
	}
}

func randomEpoch() domain.Epoch { return domain.Epoch(strings.ToLower(rand.Text()[:8])) }

// overhead is about what a message takes besides its text: its fields, its mark, and its
// places among those that are known and tried.
const overhead = 400

func sizeOf(m domain.Message) int {
	return len(m.Content) + len(m.ID) + len(m.Sender) + len(m.To) + 2*len(m.Ref) + overhead
}

// end returns the number of the newest message.
func (c *channel) end() int64 { return c.kept.items[len(c.kept.items)-1].Seq }

// Append adds the messages that are not kept yet, whether or not it is said to be again.
// Of several that were kept with one ref, a repeat is found to be one of the newest.
func (l *Log) Append(ctx context.Context, to domain.Recipients, messages []domain.Message, _ bool) ([]ports.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, added := time.Now(), 0
	l.dropExpired(now)
	entries := make([]ports.Entry, len(messages))
	for i, m := range messages {
		var found bool
		if entries[i], found = l.find(to, m); !found {
			entries[i].Position = l.add(to, m, now)
			added++
		}
	}
	l.dropOver(added)
	return entries, nil
}

// find looks for the message and for one that it repeats. The caller holds l.mu.
func (l *Log) find(to domain.Recipients, m domain.Message) (entry ports.Entry, found bool) {
	if entry.Position, found = l.known[identity{to, m.ID}]; found {
		return entry, true
	}
	if other, tried := l.tried[tagOf(to, m)]; tried {
		entry.RepeatOf = m.RepeatOf([]domain.Message{other})
	}
	return entry, entry.RepeatOf != ""
}

// add appends a message. The caller holds l.mu.
func (l *Log) add(to domain.Recipients, m domain.Message, now time.Time) domain.Position {
	c, m := l.channels[to], copied(m)
	if c == nil {
		c = &channel{to: to, epoch: l.opts.NewEpoch()}
		l.channels[to] = c
		m.Seq = 1
	} else {
		m.Seq = c.end() + 1
	}
	c.kept.push(m)
	l.oldest.push(mark{channel: c, at: now})
	position := domain.Position{Epoch: c.epoch, Seq: m.Seq}
	l.known[identity{to, m.ID}] = position
	if m.Ref != "" {
		tried := m
		tried.Content = nil
		l.tried[tagOf(to, m)] = tried
	}
	l.bytes += sizeOf(m)
	return position
}

// copied returns the message with a content that nobody else can change.
func copied(m domain.Message) domain.Message {
	m.Content = append(domain.Content(nil), m.Content...)
	return m
}

// dropExpired drops what has expired, in all channels. The caller holds l.mu.
func (l *Log) dropExpired(now time.Time) {
	for len(l.oldest.items) > 0 && now.Sub(l.oldest.items[0].at) >= l.opts.Retention {
		l.drop()
	}
}

// dropOver drops the oldest messages if there are too many, except those that were added
// last. The caller holds l.mu.
func (l *Log) dropOver(added int) {
	for l.bytes > l.opts.MaxBytes && len(l.oldest.items) > added {
		l.drop()
	}
}

// drop drops the oldest of all messages, and its channel if it has no other. The caller
// holds l.mu.
func (l *Log) drop() {
	first := l.oldest.pop()
	if first.channel == nil {
		l.dropFrom(first.conversation, first.id)
		return
	}
	l.dropped = first.at
	c, m := first.channel, first.channel.kept.pop()
	delete(l.known, identity{c.to, m.ID})
	if tag := tagOf(c.to, m); l.tried[tag].ID == m.ID {
		delete(l.tried, tag)
	}
	l.bytes -= sizeOf(m)
	if len(c.kept.items) == 0 {
		delete(l.channels, c.to)
	}
}
