package diskstore

import (
	"context"
	"iter"
	"slices"

	"go.etcd.io/bbolt"
)

// Journal keeps the bodies of one queue.
type Journal struct {
	store *Store
	queue string
}

// Journal returns the journal of the queue with that name.
func (s *Store) Journal(queue string) Journal { return Journal{s, queue} }

// Kept has, once, what was left when the store was opened, oldest first, with its keys.
func (j Journal) Kept() iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		for _, one := range j.store.takeJobs(j.queue) {
			if !yield(one.key, one.body) {
				return
			}
		}
	}
}

// takeJobs returns the jobs of a queue that were found, and keeps them no longer.
func (s *Store) takeJobs(queue string) (mine []job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var others []job
	for _, one := range s.jobs {
		if one.queue == queue {
			mine = append(mine, one)
		} else {
			others = append(others, one)
		}
	}
	s.jobs = others
	return mine
}

// Keep returns keys of the bodies once they are on disk. After an error they are not, or are
// forgotten.
func (j Journal) Keep(ctx context.Context, bodies []string) ([]uint64, error) {
	keys, jobs := make([]uint64, len(bodies)), make([]job, len(bodies))
	for i, body := range bodies {
		keys[i] = j.store.lastJob.Add(1)
		jobs[i] = job{keys[i], j.queue, body}
	}
	put := func(b *batch) error {
		for _, one := range jobs {
			if err := b.put(jobBucket, number(one.key), one.encode()); err != nil {
				return err
			}
		}
		return nil
	}
	if err := j.store.do(ctx, &operation{apply: put, jobs: keys}); err != nil {
		return nil, err
	}
	return keys, nil
}

// Forget removes bodies from the disk, together with what is written next.
func (j Journal) Forget(keys ...uint64) { j.store.forget(keys) }

func (s *Store) forget(keys []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgotten = append(s.forgotten, keys...)
}

func (s *Store) forgetJobs(all []*operation) {
	for _, o := range all {
		s.forget(o.jobs)
	}
}

func (s *Store) takeForgotten() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.forgotten
	s.forgotten = nil
	return all
}

// jobsLeft returns the jobs of the newest file that are not done.
func (s *Store) jobsLeft() (left []job, err error) {
	if len(s.files) == 0 {
		return nil, nil
	}
	s.mu.Lock()
	done := slices.Clone(s.forgotten)
	s.mu.Unlock()
	slices.Sort(done)
	err = s.newest().db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(jobBucket).ForEach(func(key, value []byte) error {
			payload, err := payloadOf(key, value)
			if err != nil {
				return err
			}
			one, err := decodeJob(key, payload)
			if _, gone := slices.BinarySearch(done, one.key); err == nil && !gone {
				left = append(left, one)
			}
			return err
		})
	})
	return left, err
}
