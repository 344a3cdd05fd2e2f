// Package ulids makes message ids with github.com/oklog/ulid.
package ulids

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"serverless-websocket/domain"
)

// Source makes ascending ULIDs, even within a millisecond and when the clock is set back.
// Its entropy is cryptographic: workers that start at the same instant must not create
// the same ids, since clients drop ids they have seen. It is safe for concurrent use.
type Source struct {
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
	last    uint64 // milliseconds
}

// NewSource returns a source of ids.
func NewSource() *Source {
	return &Source{entropy: ulid.Monotonic(rand.Reader, 0)}
}

// New returns an id for the instant, or for the latest one seen if that is
// later.
func (s *Source) New(at time.Time) domain.MessageID {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.last = max(s.last, ulid.Timestamp(at)); ; s.last++ {
		// The only error is an overflow of the millisecond's entropy.
		if id, err := ulid.New(s.last, s.entropy); err == nil {
			return domain.MessageID(id.String())
		}
	}
}
