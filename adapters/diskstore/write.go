package diskstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"serverless-websocket/ports"
)

// tidyEvery is how often the store looks for a new day, for files to delete, and for jobs
// to forget, if nothing is written.
const tidyEvery = time.Minute

// restAfterFailure is how long all operations are refused after a commit that failed: bbolt
// reads the whole file after each.
const restAfterFailure = 2 * time.Second

// operation waits for the next transaction.
type operation struct {
	apply func(*batch) error // after an error, the transaction begins anew without it
	jobs  []uint64           // that it keeps, set by apply
	kept  func()             // called when it is in the file, in the order of the operations; can be nil
	// binding says that forgetting the jobs does not undo it: once it is under way, its
	// outcome counts.
	binding bool
	done    chan error

	written            bool // the file has it; if its commit failed, perhaps not the disk
	abandoned, settled bool // nobody waits for it; it has an outcome; guarded by Store.mu
}

// do returns when the operation is on disk. After an error the file does not have it, or its
// jobs are forgotten, or kept was called and nobody knows if it is on disk. All later calls
// come after it.
func (s *Store) do(ctx context.Context, o *operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.done = make(chan error, 1)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.waiting = append(s.waiting, o)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	s.mu.Unlock()
	ports.Placed(ctx)
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return s.abandon(o, ctx.Err())
	}
}

// abandon withdraws an operation, and returns why. If it is under way, its jobs are
// forgotten later or, if it is binding, its outcome is returned, as it is if there is one by
// now.
func (s *Store) abandon(o *operation, why error) error {
	if s.withdraw(o) {
		return why
	}
	return <-o.done
}

// withdraw reports whether nobody has to wait for the operation.
func (s *Store) withdraw(o *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, o); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		return true
	}
	o.abandoned = !o.settled && !o.binding
	return o.abandoned
}

// answer tells operations their outcome.
func (s *Store) answer(err error, all ...*operation) {
	for _, o := range all {
		if s.settle(o) && o.kept != nil {
			o.kept()
		}
		o.done <- err
	}
}

// settle reports whether an operation is in the file and somebody's. Jobs that are nobody's
// are forgotten.
func (s *Store) settle(o *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.settled = true
	if o.abandoned && o.written {
		s.forgotten = append(s.forgotten, o.jobs...)
	}
	return o.written && !o.abandoned
}

// write commits what waits, until the store is closed.
func (s *Store) write() {
	defer close(s.ended)
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	for open := true; open; {
		select {
		case _, open = <-s.wake:
			_ = s.commit(s.take()) // the operations have it
		case <-tidy.C:
			s.tidy()
		}
	}
	s.failure = nil // the last try does not wait
	s.tidy()
	if err := s.writeIndex(s.listed()); err != nil {
		s.opts.Log.Error("nothing can be written", "error", err)
	}
}

// tidy does what is due without an operation.
func (s *Store) tidy() {
	if err := s.commit(nil); err != nil {
		s.opts.Log.Error("nothing can be written", "error", err)
	}
}

// take returns all operations that wait.
func (s *Store) take() []*operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.waiting
	s.waiting = nil
	return all
}

// commit commits operations together, unless a commit has just failed.
func (s *Store) commit(all []*operation) error {
	if s.failure != nil && time.Since(s.failedAt) < restAfterFailure {
		s.answer(s.failure, all...)
		return s.failure
	}
	s.failure = s.commitNow(all)
	if s.failure != nil {
		s.failedAt = time.Now()
	}
	return s.failure
}

// commitNow commits operations together. One that fails by itself leaves the others alone.
func (s *Store) commitNow(all []*operation) error {
	err := s.turn()
	for err == nil {
		var wrong *operation
		if wrong, err = s.transaction(all); wrong == nil {
			break
		}
		s.answer(err, wrong)
		all, err = slices.DeleteFunc(all, func(o *operation) bool { return o == wrong }), nil
	}
	s.answer(err, all...)
	return err
}

// transaction commits operations, forgets jobs and ends a doubt. If an operation is at
// fault, it returns that one, and the others can be committed without it.
func (s *Store) transaction(all []*operation) (wrong *operation, err error) {
	forgotten := s.takeForgotten()
	if len(all)+len(forgotten) == 0 && !s.newest().inDoubt() {
		return nil, nil
	}
	defer func() {
		if err != nil {
			s.forget(forgotten)
		}
	}()
	tx, err := s.newest().db.Begin(true)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // has no effect after Commit
	b := newBatch(tx, s.now())
	for _, o := range all {
		if err := o.apply(b); err != nil {
			return o, err
		}
	}
	for _, key := range forgotten {
		if err := b.delete(jobBucket, number(key)); err != nil {
			return nil, err
		}
	}
	if err := b.finish(); err != nil {
		return nil, err
	}
	s.syncs.Add(2) // bbolt writes pages, and then where they begin
	id := int64(tx.ID())
	err = s.newest().commit(tx)
	for _, o := range all {
		o.written = s.newest().visible() >= id
	}
	if err != nil {
		return nil, fmt.Errorf("write to %s: %w", s.dir, err)
	}
	return nil, nil
}

// newest is the file that is written to. Only the writer may call it.
func (s *Store) newest() *file { return s.files[len(s.files)-1] }

// now never goes back, so that messages expire in the order of their numbers.
func (s *Store) now() time.Time {
	if now := time.Now(); now.After(s.lastAt) {
		s.lastAt = now
	}
	return s.lastAt
}

// turn deletes files that have expired, and begins the file of a new day.
func (s *Store) turn() error {
	today := dayOf(s.now())
	if len(s.files) > 0 && s.newest().day >= today {
		return nil
	}
	s.dropExpired()
	if len(s.files) > 0 && s.newest().inDoubt() { // nothing is written to it later
		if _, err := s.transaction(nil); err != nil {
			return err
		}
	}
	jobs, err := s.jobsLeft()
	if err != nil {
		return err
	}
	return s.addFile(today, jobs)
}

// addFile creates a file and writes to it from now on.
func (s *Store) addFile(day string, jobs []job) error {
	f, err := s.createFile(day, jobs)
	if err != nil {
		return fmt.Errorf("create %s: %w", s.path(fileName(day)), err)
	}
	if err := s.writeIndex(append(s.listed(), day)); err != nil {
		f.db.Close()
		return err
	}
	s.filesMu.Lock()
	defer s.filesMu.Unlock()
	s.files = append(s.files, f)
	return nil
}

// dropExpired deletes the files whose messages have all expired.
func (s *Store) dropExpired() {
	for len(s.files) > 1 && s.expired(s.files[0].day, time.Now()) {
		oldest := s.files[0]
		s.filesMu.Lock()
		s.files = slices.Clone(s.files[1:])
		s.dropped = max(s.dropped, oldest.day)
		s.filesMu.Unlock()
		oldest.db.Close()
		s.deleteFile(oldest.day)
	}
}

// deleteFile deletes a file that is not open. If it cannot, the next start tries again.
func (s *Store) deleteFile(day string) {
	if err := remove(s.path(fileName(day))); err != nil {
		s.opts.Log.Error("expired file not deleted", "error", err)
	}
}
