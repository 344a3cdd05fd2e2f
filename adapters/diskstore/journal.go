package diskstore

import (
	"context"
	"iter"
	"slices"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
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

// Keep returns once the bodies of the messages are on disk. Before that, it calls kept with
// their keys, from another goroutine, which must not wait: first for what was kept first. After
// an error they are not on disk, or are forgotten, and kept is not called, unless the disk has
// failed at the last sync: then nobody knows, and whoever does them finds their messages in the
// log once they are on disk.
//
// What jobs have for logs is appended at the same time, in the same order, and what they have
// for conversations is put there: whoever does them finds it, and has no second sync to wait
// for.
func (j Journal) Keep(ctx context.Context, messages []ports.QueueMessage, kept func(keys []uint64)) error {
	entries := j.store.entriesOf(messages)
	o := &operation{binding: len(entries) > 0}
	o.kept = func() { kept(o.jobs) }
	o.apply = func(b *batch) (err error) {
		for _, a := range entries {
			if err = a.apply(b); err == nil {
				err = a.converse(b)
			}
			if err != nil {
				return err
			}
		}
		o.jobs, err = j.put(b, messages)
		return err
	}
	return j.store.do(ctx, o)
}

// put returns the keys of the bodies.
func (j Journal) put(b *batch, messages []ports.QueueMessage) (keys []uint64, err error) {
	for _, m := range messages {
		j.store.lastJob++
		one := job{j.store.lastJob, j.queue, m.Body}
		if err := b.put(jobBucket, number(one.key), one.encode()); err != nil {
			return nil, err
		}
		keys = append(keys, one.key)
	}
	return keys, nil
}

// entriesOf returns what jobs have for logs. A body that is no job has nothing.
func (s *Store) entriesOf(messages []ports.QueueMessage) (all []*appending) {
	for _, m := range messages {
		if m.Job == nil {
			decoded, err := domain.DecodeJob(m.Body)
			if err != nil {
				continue
			}
			m.Job = &decoded
		}
		for _, one := range m.Job.Channels() {
			if one.ToLog() {
				all = append(all, s.entries(one.To, one.Messages)...)
			}
		}
	}
	return all
}

// entries leaves out messages that are too large for a log.
func (s *Store) entries(to domain.Recipients, messages []domain.Message) (all []*appending) {
	for some, size := range domain.Divide(to, "", messages, domain.MaxLogged) {
		if size <= domain.MaxLogged {
			all = append(all, s.newAppending(to, some))
		}
	}
	return all
}

// Forget removes bodies from the disk, together with what is written next.
func (j Journal) Forget(keys ...uint64) { j.store.forget(keys) }

func (s *Store) forget(keys []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgotten = append(s.forgotten, keys...)
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
