// Package diskstore keeps the messages of each channel and conversation, and the jobs of
// queues, in a directory. What it has answered for is on disk.
//
// There is one bbolt database for each day, so that whole files can be deleted. One
// goroutine writes: it commits all operations that wait in one transaction, so that they
// share its syncs.
package diskstore

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Options tune a store. The zero value of a field means its default.
type Options struct {
	// Retention is how long a message is kept. Its file is deleted up to two days later.
	// Default: 24 hours.
	Retention time.Duration
	// Log receives what is wrong with files; default slog.Default().
	Log *slog.Logger
}

// Store implements ports.MessageLog. Its queues' jobs are reached by Journal.
//
// A process that opens the directory after a damage finds a new log: all positions are
// of another epoch, though what can be read is kept.
type Store struct {
	dir    string
	opts   Options
	lock   *os.File
	name   string // of the log, see domain.NothingSince; part of each epoch
	found  Found
	jobs   []job // that were found; the journals hand them out
	lastAt time.Time

	filesMu sync.RWMutex
	files   []*file // oldest first; the last one is written to
	dropped string  // the newest day whose file was deleted, or empty

	recent recent // for those who read

	failure  error // of the latest commit, and when; only the writer may use them
	failedAt time.Time

	mu        sync.Mutex
	waiting   []*operation
	forgotten []uint64 // jobs to remove by the next transaction
	closed    bool

	lastJob uint64 // its key; only the writer may use it
	syncs   atomic.Int64
	wake    chan struct{}
	ended   chan struct{}
}

// Found says what was in the directory.
type Found struct {
	Messages, Jobs int
	Since          time.Time // when the oldest message was appended; zero without any
	Damaged        []string  // files that were set aside
}

// errClosed is returned after Close.
var errClosed = errors.New("the store is closed")

// lockName is the file that a process locks while it uses the directory.
const lockName = "lock"

// ErrInUse means that another process has opened the directory.
var ErrInUse = errors.New("is in use by another process")

// Open opens the directory, which need not exist, and checks all files in it. A file that
// is damaged is renamed and logged. The error is ErrInUse, or what the system says of the
// directory.
func Open(dir string, opts Options) (*Store, error) {
	opts.Retention = cmp.Or(opts.Retention, 24*time.Hour)
	opts.Log = cmp.Or(opts.Log, slog.Default())
	s := &Store{dir: dir, opts: opts, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	s.recent.after = make(map[origin]*following)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, ofDir(dir, err)
	}
	var err error
	if s.lock, err = lockFile(s.path(lockName)); err != nil {
		return nil, ofDir(dir, err)
	}
	if err := s.load(); err != nil {
		s.release()
		return nil, err
	}
	go s.write()
	return s, nil
}

// ofDir names the directory, and none of the files in it, in an error.
func ofDir(dir string, err error) error {
	var named *os.PathError
	switch {
	case errors.Is(err, ErrInUse):
		return fmt.Errorf("%s %w", dir, err)
	case errors.As(err, &named):
		err = named.Err
	}
	return fmt.Errorf("%s: %w", dir, err)
}

// Found returns what was in the directory when it was opened.
func (s *Store) Found() Found { return s.found }

// Syncs returns how often the store has waited for the disk.
func (s *Store) Syncs() int64 { return s.syncs.Load() }

// Close commits what waits and releases the directory.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if !again {
		close(s.wake)
	}
	<-s.ended
	if again {
		return nil
	}
	return s.release()
}

// release closes all files.
func (s *Store) release() error {
	s.filesMu.Lock()
	defer s.filesMu.Unlock()
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.db.Close())
	}
	s.files = nil
	return errors.Join(append(errs, s.lock.Close())...)
}

var _ ports.MessageLog = (*Store)(nil)

// channelKey begins the keys of a channel. None is the beginning of another.
func channelKey(to domain.Recipients) []byte { return withLength(to.String()) }

func withLength(name string) []byte {
	return append([]byte{byte(len(name) >> 8), byte(len(name))}, name...)
}
