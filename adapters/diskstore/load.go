package diskstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// load checks and opens all files, and creates the one to write to.
func (s *Store) load() error {
	was := s.readIndex()
	s.dropped = was.dropped
	if err := s.removeUnfinished(); err != nil {
		return err
	}
	days, err := s.days()
	if err != nil {
		return err
	}
	newest := slices.Max(slices.Concat(was.days, days, []string{""}))
	intact := s.isComplete(was, days)
	for _, day := range s.dropOld(days, newest) {
		good, err := s.loadFile(day, day == newest)
		if err != nil {
			return err
		}
		intact = intact && good
	}
	s.name = was.name
	if !intact || was.name == "" {
		s.name = randomName(7)
	}
	s.found.Jobs = len(s.jobs)
	if oldest := s.now().Add(-s.opts.Retention); s.found.Messages > 0 && s.found.Since.Before(oldest) {
		s.found.Since = oldest
	}
	return s.begin(newest)
}

// removeUnfinished removes files that a crash has left before they got their names. Others'
// files in the directory stay.
func (s *Store) removeUnfinished() error {
	entries, err := os.ReadDir(s.dir)
	for _, e := range entries {
		name, unfinished := strings.CutSuffix(e.Name(), ".new")
		if _, isLog := dayIn(name); unfinished && (isLog || name == indexName) {
			err = errors.Join(err, remove(s.path(e.Name())))
		}
	}
	return err
}

// isComplete reports whether no file is known to be missing, and no message that was
// appended to the original of a copy.
func (s *Store) isComplete(was index, days []string) bool {
	if was.name == "" && len(days) > 0 {
		s.opts.Log.Error("the list of files is missing or damaged; clients will be told that messages are missing",
			"file", s.path(indexName))
		return false
	}
	complete := !was.copied || len(days) == 0
	if !complete {
		s.opts.Log.Warn("the directory is a copy, such as a restored backup, or the service has run without it; clients will be told that messages may be missing",
			"dir", s.dir)
	}
	for _, day := range was.days {
		if slices.Contains(days, day) {
			continue
		}
		s.dropped = max(s.dropped, day)
		if !s.expired(day, time.Now()) {
			s.opts.Log.Error("a file is missing; clients will be told that messages are missing", "file", s.path(fileName(day)))
			complete = false
		}
	}
	return complete
}

// dropOld deletes the files that have expired since the last stop, or by a retention that is
// shorter now, and returns the other days. The newest stays: it has the jobs.
func (s *Store) dropOld(days []string, newest string) (left []string) {
	for _, day := range days {
		if day == newest || !s.expired(day, time.Now()) {
			left = append(left, day)
			continue
		}
		s.dropped = max(s.dropped, day)
		s.deleteFile(day)
	}
	return left
}

// loadFile opens the file of a day, or sets it aside. Jobs are taken from the newest
// alone: the others are left from before its day.
func (s *Store) loadFile(day string, newest bool) (good bool, err error) {
	path := s.path(fileName(day))
	has, err := check(path)
	if errors.Is(err, errDamaged) {
		return false, s.setAside(path, err)
	}
	if err != nil {
		return false, err
	}
	f, err := s.openFile(day, newest)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	s.files = append(s.files, f)
	if s.found.Messages == 0 {
		s.found.Since = has.first
	}
	s.found.Messages += has.messages
	if has.last.After(s.lastAt) {
		s.lastAt = has.last
	}
	if newest {
		s.jobs = has.jobs
	}
	return true, nil
}

// setAside renames a damaged file, so that the service starts without it.
func (s *Store) setAside(path string, why error) error {
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Rename(path, aside); err != nil {
		return err
	}
	s.found.Damaged = append(s.found.Damaged, aside)
	s.opts.Log.Error("a file is damaged and was set aside; clients will be told that messages are missing",
		"file", aside, "error", why)
	return nil
}

// begin makes sure that there is a file to write to, if there is space. Without, the store
// starts with the files that it has, and each write tries again.
func (s *Store) begin(newest string) error {
	if n := len(s.jobs); n > 0 {
		s.lastJob = s.jobs[n-1].key
	}
	if len(s.files) == 0 || s.newest().day != newest {
		return s.replaceNewest(max(newest, dayOf(s.now())))
	}
	if err := errors.Join(s.writeIndex(s.listed()), s.turn()); err != nil {
		s.opts.Log.Error("nothing can be written", "error", err)
	}
	return nil
}

// replaceNewest creates the first file, or one in place of the newest. If that is lost, its
// jobs are too: those in the file before it were done, or copied to it. So it is listed
// before there is another: no start must take that one for the newest.
func (s *Store) replaceNewest(day string) error {
	if len(s.files) > 0 {
		if err := s.writeIndex(append(s.listed(), day)); err != nil {
			return err
		}
	} else if err := s.writeIndex(nil); err != nil {
		return err
	}
	return s.addFile(day, nil)
}

// randomName returns n random digits and lower-case letters.
func randomName(n int) string { return strings.ToLower(rand.Text()[:n]) }
