// Package memstore keeps the connections of one process in memory. It has the pages,
// segments and cursors of a real table, so that code that works on it works on one.
package memstore

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// defaultPageSize is about what a page of DynamoDB holds: 1 MB of rows of
	// 100 bytes.
	defaultPageSize = 10_000

	shardBits = 10
)

// Store is a table of connections in memory. It implements
// ports.ConnectionStore.
//
// Rows are ordered by a hash of their id, as DynamoDB does: a segment is a range of
// hashes, a cursor is the last position read, and neither depends on rows that come and
// go around it. The hash also picks one of 1,024 shards, each a short sorted slice under
// its own lock, so a scan never holds up more than a thousandth of the table.
type Store struct {
	pageSize int
	rows     atomic.Int64 // held, expired ones included
	shards   [1 << shardBits]shard
}

// New returns an empty store whose Scan reads at most pageSize rows a page,
// expired ones included. A pageSize below 1 means 10,000.
func New(pageSize int) *Store {
	if pageSize < 1 {
		pageSize = defaultPageSize
	}
	return &Store{pageSize: pageSize}
}

// Put stores the connection, replacing one with the same id. The only error is
// that of a context that has ended.
func (s *Store) Put(ctx context.Context, c domain.Connection) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at := positionOf(c.ID)
	if s.shards[at.shard()].put(row{at.hash, c}) {
		s.rows.Add(1)
	}
	return nil
}

// Replace stores the connection if one with its id is stored.
func (s *Store) Replace(ctx context.Context, c domain.Connection) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at := positionOf(c.ID)
	if !s.shards[at.shard()].replace(row{at.hash, c}) {
		return fmt.Errorf("connection %s: %w", c.ID, ports.ErrNotFound)
	}
	return nil
}

// Get returns the connection that is stored.
func (s *Store) Get(ctx context.Context, id domain.ConnectionID) (domain.Connection, error) {
	if err := ctx.Err(); err != nil {
		return domain.Connection{}, err
	}
	at := positionOf(id)
	c, ok := s.shards[at.shard()].get(at)
	if !ok {
		return c, fmt.Errorf("connection %s: %w", id, ports.ErrNotFound)
	}
	return c, nil
}

// Delete removes the connections that are stored. The only error is that of a
// context that has ended.
func (s *Store) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, id := range ids {
		at := positionOf(id)
		if s.shards[at.shard()].remove(at) {
			s.rows.Add(-1)
		}
	}
	return nil
}

// Scan returns the rows among the next pageSize that have not expired, and drops
// the others. The order is that of the hash: the same ids come in the same
// order in every process.
func (s *Store) Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (ports.Page, error) {
	if err := ctx.Err(); err != nil {
		return ports.Page{}, err
	}
	at, last, err := bounds(segment, from)
	if err != nil {
		return ports.Page{}, err
	}
	page := reader{last: last, left: s.pageSize, now: time.Now(), found: s.room(at.hash, last)}
	for i := at.shard(); i <= (position{hash: last}).shard() && page.left > 0; i++ {
		at = s.shards[i].read(at, &page)
	}
	s.rows.Add(-page.dropped)
	if page.left > 0 {
		return ports.Page{Connections: page.found}, nil
	}
	return ports.Page{Connections: page.found, Next: at.cursor()}, nil
}

// room returns space for the likely size of a page that reads from one hash to the other:
// growing it step by step costs more than the scan itself.
func (s *Store) room(from, to uint64) []domain.Connection {
	likely := float64(s.rows.Load()) * (float64(to-from) / math.MaxUint64)
	return make([]domain.Connection, 0, min(s.pageSize, int(likely*1.1)))
}
