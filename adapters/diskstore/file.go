package diskstore

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// The buckets of a file. Only the jobs of the newest file count: each file begins with
// those that are left.
var (
	messageBucket      = []byte("messages")      // channelKey and number: record
	idBucket           = []byte("ids")           // channelKey and id, or appending.refKey: number
	conversationBucket = []byte("conversations") // conversationKey and id: record without an epoch
	jobBucket          = []byte("jobs")          // key: job
	sumBucket          = []byte("sum")           // sumKey: see batch.sum
	sumKey             = []byte("sum")
)

// buckets are all of them, as a file lists them.
var buckets = [][]byte{conversationBucket, idBucket, jobBucket, messageBucket, sumBucket}

// file is the database of a day.
type file struct {
	day string // as dayFormat, in UTC
	db  *bbolt.DB
	// synced is the newest transaction that is known to be on disk. Readers of bbolt see a
	// later one before it is.
	synced     atomic.Int64
	committing chan struct{}         // full while a commit is under way
	write      func(*bbolt.Tx) error // (*bbolt.Tx).Commit, or in tests a disk that fails
}

const dayFormat = time.DateOnly

func dayOf(t time.Time) string { return t.UTC().Format(dayFormat) }

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

func fileName(day string) string { return "log-" + day + ".db" }

// dayIn returns the day of a file by its name. It reports whether there is one.
func dayIn(name string) (day string, ok bool) {
	day = strings.TrimSuffix(strings.TrimPrefix(name, "log-"), ".db")
	_, err := time.Parse(dayFormat, day)
	return day, err == nil && name == fileName(day)
}

// expired reports whether all messages of a day are.
func (s *Store) expired(day string, now time.Time) bool {
	return now.Sub(endOf(day)) >= s.opts.Retention
}

// endOf returns when a day ends. It is long ago for none.
func endOf(day string) time.Time {
	start, _ := time.Parse(dayFormat, day) // days come from dayOf
	return start.AddDate(0, 0, 1)
}

// days returns the days that have a file, the oldest first.
func (s *Store) days() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var days []string
	for _, e := range entries {
		if day, ok := dayIn(e.Name()); ok {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, nil
}

// openFile opens a file that has been checked. Only the newest is written to.
func (s *Store) openFile(day string, newest bool) (*file, error) {
	db, err := bbolt.Open(s.path(fileName(day)), 0o600, boltOptions(!newest))
	if err != nil {
		return nil, err
	}
	f := &file{day: day, db: db, committing: make(chan struct{}, 1), write: (*bbolt.Tx).Commit}
	if newest { // a process that was killed may not have waited for its last sync
		s.syncs.Add(1)
		err = db.Sync()
	}
	f.synced.Store(f.visible())
	return f, err
}

// onDisk reports whether the newest file has all of n things.
func (s *Store) onDisk(ctx context.Context, n int, has func(tx *bbolt.Tx, i int, now time.Time) (bool, error)) (all bool) {
	s.filesMu.RLock()
	defer s.filesMu.RUnlock()
	if s.files == nil {
		return false
	}
	f, now := s.newest(), time.Now()
	err := f.view(ctx, func(tx *bbolt.Tx) (err error) {
		all = true
		for i := 0; i < n && all && err == nil; i++ {
			all, err = has(tx, i, now)
		}
		return err
	})
	return all && err == nil
}

// visible returns the newest transaction that readers of bbolt see.
func (f *file) visible() (id int64) {
	_ = f.db.View(func(tx *bbolt.Tx) error { // it fails only once the file is closed
		id = int64(tx.ID())
		return nil
	})
	return id
}

// commit returns when the transaction is on disk.
func (f *file) commit(tx *bbolt.Tx) error {
	f.committing <- struct{}{}
	defer func() { <-f.committing }()
	id := int64(tx.ID())
	err := f.write(tx)
	if err == nil {
		f.synced.Store(id)
	}
	return err
}

// inDoubt reports whether nobody knows if the newest transaction is on disk: its commit
// failed at the sync after its last page. Only the writer may call it.
func (f *file) inDoubt() bool { return f.visible() > f.synced.Load() }

// errInDoubt means that what could be read may not be on disk.
var errInDoubt = errors.New("the disk has failed, and may not have what was written last")

// view calls read with what is on disk, and waits for a commit that is under way: no client
// may get a message that a crash can take back, since its number would be used again. The
// error is errInDoubt, or that of the context or of read.
func (f *file) view(ctx context.Context, read func(*bbolt.Tx) error) error {
	for {
		var id int64
		err := f.db.View(func(tx *bbolt.Tx) error {
			if id = int64(tx.ID()); id > f.synced.Load() {
				return errInDoubt // bbolt's writer can wait for readers: so none may wait for it
			}
			return read(tx)
		})
		if err != errInDoubt {
			return err
		}
		select {
		case f.committing <- struct{}{}:
			<-f.committing
		case <-ctx.Done():
			return ctx.Err()
		}
		if f.synced.Load() < id {
			return err
		}
	}
}

// boltOptions leave out the list of free pages, which could be damaged: bbolt finds them
// by itself.
func boltOptions(readOnly bool) *bbolt.Options {
	return &bbolt.Options{
		Timeout: time.Second, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, ReadOnly: readOnly,
	}
}

// createFile makes the file of a day with jobs in it. It gets its name when it is
// complete.
func (s *Store) createFile(day string, jobs []job) (*file, error) {
	path := s.path(fileName(day))
	unfinished := path + ".new"
	if err := errors.Join(remove(unfinished), writeFile(unfinished, jobs)); err != nil {
		return nil, errors.Join(err, remove(unfinished)) // it takes space
	}
	s.syncs.Add(3)
	if err := errors.Join(os.Rename(unfinished, path), syncDir(s.dir)); err != nil {
		return nil, err
	}
	return s.openFile(day, true)
}

// writeFile makes a file with all buckets.
func writeFile(path string, jobs []job) (err error) {
	db, err := bbolt.Open(path, 0o600, boltOptions(false))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		b := newBatch(tx, time.Time{})
		for _, j := range jobs {
			if err := b.put(jobBucket, number(j.key), j.encode()); err != nil {
				return err
			}
		}
		return b.finish()
	})
}

// remove removes a file that may not exist.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
