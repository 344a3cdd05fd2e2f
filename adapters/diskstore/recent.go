package diskstore

import (
	"slices"
	"sync"

	"serverless-websocket/domain"
)

const (
	// maxRecent is how many bytes of messages are remembered: clients that come back
	// together ask for the same.
	maxRecent = 16 << 20
	// overhead is about what a message or a place takes besides content.
	overhead = 300
)

// origin is where in a log a client goes on.
type origin struct {
	channel, epoch string
	from           int64 // the number in the key
}

// recent remembers what was read after places, lately. A message never changes, so what is
// remembered is right for as long as the messages are kept; which those are, and where the
// log ends, each request looks up itself.
type recent struct {
	mu    sync.Mutex
	after map[origin]*following
	order []origin // the oldest first
	size  int
}

// following are the messages after a place, as far as they were read.
type following struct {
	mu       sync.Mutex // held while they are read, so that others who ask do not read too
	messages []domain.Message
	size     int // as counted in recent
}

// at returns what follows a place, with its lock held.
func (r *recent) at(p origin) *following {
	r.mu.Lock()
	f := r.after[p]
	if f == nil {
		f = new(following)
		r.after[p] = f
		r.order = append(r.order, p)
	}
	r.mu.Unlock()
	f.mu.Lock()
	return f
}

// grown counts what was added, and forgets the places that were asked for first if there is
// too much.
func (r *recent) grown(p origin, f *following, added []domain.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.after[p] != f {
		return // forgotten meanwhile
	}
	grown := sizeOf(added)
	if f.size == 0 {
		grown += overhead
	}
	f.size += grown
	r.size += grown
	for r.size > maxRecent && len(r.order) > 1 {
		oldest := r.order[0]
		r.size -= r.after[oldest].size
		delete(r.after, oldest)
		r.order = r.order[1:]
	}
}

func sizeOf(messages []domain.Message) (size int) {
	for _, m := range messages {
		size += overhead + len(m.Content)
	}
	return size
}

// shared returns the messages with the numbers until the next would exceed the size, at
// least one if there is any. It reads those that were not read from there lately. Others get
// the same contents.
func (p part) shared(from, to int64, size int) ([]domain.Message, error) {
	if from > to {
		return nil, nil
	}
	at := origin{string(p.channel), p.spans[0].record.epoch, from}
	r := &p.store.recent
	f := r.at(at)
	defer f.mu.Unlock()
	n, left := fitting(f.messages, size)
	if next := from + int64(n); n == len(f.messages) && next <= to && (n == 0 || left >= 0) {
		read, err := p.read(next, to, left)
		if err != nil {
			return nil, err
		}
		f.messages = append(f.messages, read...)
		r.grown(at, f, read)
		n, _ = fitting(f.messages, size)
	}
	n = min(n, int(to-from)+1) // others may have read what has come since
	return slices.Clone(f.messages[:n]), nil
}

// fitting returns how many messages there are until the next would exceed the size, at least
// one, and how much is left.
func fitting(messages []domain.Message, size int) (n, left int) {
	for _, m := range messages {
		if n > 0 && len(m.Content) > size {
			break
		}
		size -= len(m.Content)
		n++
	}
	return n, size
}
