package memstore

import (
	"slices"
	"sync"
	"time"

	"serverless-websocket/domain"
)

// row is one connection with the hash of its id.
type row struct {
	hash       uint64
	connection domain.Connection
}

func (r row) position() position { return position{r.hash, r.connection.ID} }

// shard holds the rows of one range of hashes, in order.
type shard struct {
	mu   sync.Mutex
	rows []row
}

// firstRows is for how many rows a shard gets room at first: growing from one costs more
// than all else when thousands of clients connect.
const firstRows = 8

// put reports whether the row is new.
func (s *shard) put(r row) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.search(r.position())
	if found {
		s.rows[i] = r
		return false
	}
	if s.rows == nil {
		s.rows = make([]row, 0, firstRows)
	}
	s.rows = slices.Insert(s.rows, i, r)
	return true
}

// replace reports whether there was a row to replace.
func (s *shard) replace(r row) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.search(r.position())
	if found {
		s.rows[i] = r
	}
	return found
}

// get reports whether there is such a row.
func (s *shard) get(at position) (c domain.Connection, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.search(at)
	if found {
		c = s.rows[i].connection
	}
	return c, found
}

// remove reports whether there was such a row.
func (s *shard) remove(at position) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.search(at)
	if found {
		s.rows = slices.Delete(s.rows, i, i+1)
	}
	return found
}

// search returns the index of the row at the position, or where it would be.
func (s *shard) search(at position) (int, bool) {
	return slices.BinarySearchFunc(s.rows, at, func(r row, at position) int {
		return r.position().compare(at)
	})
}

// reader is an unfinished page: how far to read, and what has been found.
type reader struct {
	last    uint64 // the last hash of the segment
	left    int    // rows left to read
	now     time.Time
	found   []domain.Connection
	dropped int64 // expired rows
}

// read continues after the position and returns the position of the last row read.
// Expired rows count as read: a page costs the same whatever is on it.
func (s *shard) read(after position, page *reader) position {
	s.mu.Lock()
	defer s.mu.Unlock()
	start, found := s.search(after)
	if found {
		start++
	}
	end, dropped := start, page.dropped
	for ; end < len(s.rows) && page.left > 0 && s.rows[end].hash <= page.last; end++ {
		page.left--
		if s.rows[end].connection.Expired(page.now) {
			page.dropped++
			continue
		}
		page.found = append(page.found, s.rows[end].connection)
	}
	if end > start {
		after = s.rows[end-1].position()
	}
	if page.dropped > dropped {
		s.drop(start, end, page.now)
	}
	return after
}

// drop removes the expired rows from start to end, not included.
func (s *shard) drop(start, end int, now time.Time) {
	kept := slices.DeleteFunc(s.rows[start:end], func(r row) bool {
		return r.connection.Expired(now)
	})
	s.rows = slices.Delete(s.rows, start+len(kept), end)
}
