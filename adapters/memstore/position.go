package memstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// position is the place of a row in the order of the table.
type position struct {
	hash uint64
	id   domain.ConnectionID
}

// positionOf hashes with SHA-256: evenly, whatever the ids look like, and the same in
// every process, so that a run over this store can be replayed.
func positionOf(id domain.ConnectionID) position {
	sum := sha256.Sum256([]byte(id))
	return position{binary.BigEndian.Uint64(sum[:]), id}
}

func (p position) compare(other position) int {
	if p.hash != other.hash {
		return cmp.Compare(p.hash, other.hash)
	}
	return cmp.Compare(p.id, other.id)
}

// shard returns the index of the shard that the position is in.
func (p position) shard() int { return int(p.hash >> (64 - shardBits)) }

// hashDigits is the length of the hash in a cursor.
const hashDigits = 16

// cursor writes the position as the hash in hexadecimal and the id. The hash follows from
// the id; it distinguishes a cursor from any other text.
func (p position) cursor() domain.Cursor {
	return domain.Cursor(fmt.Sprintf("%0*x%s", hashDigits, p.hash, p.id))
}

func parseCursor(c domain.Cursor) (position, error) {
	if len(c) < hashDigits {
		return position{}, fmt.Errorf("%.40q is too short: %w", c, ports.ErrBadCursor)
	}
	at := positionOf(domain.ConnectionID(c[hashDigits:]))
	if at.cursor() != c {
		return position{}, fmt.Errorf("%.40q does not begin with its hash: %w", c, ports.ErrBadCursor)
	}
	return at, nil
}

// bounds returns the position after which a scan of the segment continues, and the
// segment's last hash.
func bounds(segment domain.Segment, from domain.Cursor) (after position, last uint64, err error) {
	if !segment.Valid() {
		return position{}, 0, fmt.Errorf("segment %d of %d: %w", segment.Index, segment.Total, ports.ErrBadCursor)
	}
	first, last := segment.Hashes()
	if from == "" {
		return position{hash: first}, last, nil
	}
	after, err = parseCursor(from)
	if err == nil && (after.hash < first || after.hash > last) {
		err = fmt.Errorf("%.40q is not in segment %d of %d: %w", from, segment.Index, segment.Total, ports.ErrBadCursor)
	}
	return after, last, err
}
