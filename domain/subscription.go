package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
)

// Subscription is a connection that gets what is for a user or a room. Only connections
// of users have any.
type Subscription struct {
	To         Recipients // the user or the room
	Connection Connection
}

// Place is where a user's connections stand among those that subscribe to the same: a
// hash in hexadecimal. So they stand together, users who connect at the same time do not,
// and a Segment is a range of places.
func Place(user string) string {
	sum := sha256.Sum256([]byte(user))
	return hex.EncodeToString(sum[:16])
}

// Places returns texts between which the segment's places stand, with anything that
// follows them.
func (s Segment) Places() (first, last string) {
	low, high := s.Hashes()
	return fmt.Sprintf("%016x", low), fmt.Sprintf("%016xg", high) // g follows every digit
}

// Hashes returns the first and the last hash of the segment, which is Valid: the segments
// of a total divide all hashes evenly.
func (s Segment) Hashes() (first, last uint64) {
	if s.Whole() {
		return 0, math.MaxUint64
	}
	index, total := uint64(s.Index), uint64(s.Total)
	first, _ = bits.Div64(index, 0, total)
	if index+1 == total {
		return first, math.MaxUint64
	}
	next, _ := bits.Div64(index+1, 0, total)
	return first, next - 1
}
