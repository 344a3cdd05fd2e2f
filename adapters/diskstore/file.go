package diskstore

import (
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
	// synced is the newest transaction that is known to be on disk. Readers see a later one
	// before it is.
	synced atomic.Int64
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
	f := &file{day: day, db: db}
	return f, db.View(func(tx *bbolt.Tx) error {
		f.synced.Store(int64(tx.ID()))
		return nil
	})
}

// onDisk reports whether the newest file has all of n things, and every transaction in it
// is on disk.
func (s *Store) onDisk(n int, has func(tx *bbolt.Tx, i int, now time.Time) (bool, error)) (all bool) {
	s.filesMu.RLock()
	defer s.filesMu.RUnlock()
	if s.files == nil {
		return false
	}
	f, now := s.newest(), time.Now()
	err := f.db.View(func(tx *bbolt.Tx) (err error) {
		all = int64(tx.ID()) <= f.synced.Load()
		for i := 0; i < n && all && err == nil; i++ {
			all, err = has(tx, i, now)
		}
		return err
	})
	return all && err == nil
}

// holds reports whether a transaction can be on disk though its commit failed: that is, at
// the sync after its last page.
func (f *file) holds(transaction int) bool {
	newest := transaction
	_ = f.db.View(func(tx *bbolt.Tx) error { // if that fails, nobody knows
		newest = tx.ID()
		return nil
	})
	return newest >= transaction
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
