package diskstore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// indexName is a file with the log's name, Store.dropped, its own identity, the days that
// have a file, and a checksum, one a line. By it, a start finds out that a file is missing.
// A day may stay in the list until the next is created, though its file has been dropped.
//
// A copy names the identity of the original: by that, a start finds out that a backup has
// been restored. Each start and each stop make a new file, so that a copy from before is
// known even if its bytes are written over those of the file that is there.
const indexName = "index"

// noDay stands for no day in the index.
const noDay = "none"

// index is what a start finds. It has no name if there is none, or if it is damaged.
type index struct {
	name, dropped string
	copied        bool
	days          []string
}

// listed returns the days of the open files.
func (s *Store) listed() []string {
	days := make([]string, 0, len(s.files)+1)
	for _, f := range s.files {
		days = append(days, f.day)
	}
	return days
}

// writeIndex replaces the index by one that names itself.
func (s *Store) writeIndex(days []string) error { return s.replaceIndex(days, "") }

// replaceIndex replaces the index by one with an identity, or with its own. After an error
// the one that was there stays: without, the next start would take the log for a damaged
// one.
func (s *Store) replaceIndex(days []string, self string) error {
	path := s.path(indexName)
	unfinished := path + ".new"
	s.syncs.Add(2)
	if err := s.createIndex(unfinished, days, self); err != nil {
		return err
	}
	return errors.Join(os.Rename(unfinished, path), syncDir(s.dir))
}

func (s *Store) createIndex(path string, days []string, self string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if self == "" {
		if self, err = identity(path); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	lines := slices.Concat([]string{s.name, cmp.Or(s.dropped, noDay), self}, days)
	text := []byte(strings.Join(lines, "\n") + "\n")
	_, err = fmt.Fprintf(f, "%s%08x\n", text, checksum(nil, text))
	return errors.Join(err, f.Sync(), f.Close())
}

func (s *Store) readIndex() index {
	path := s.path(indexName)
	text, err := os.ReadFile(path)
	end := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') + 1
	if err != nil || string(text[end:]) != fmt.Sprintf("%08x\n", checksum(nil, text[:end])) {
		return index{}
	}
	lines := strings.Fields(string(text[:end]))
	if len(lines) < 3 { // of a version that named no identity
		return index{}
	}
	self, err := identity(path)
	return index{
		name: lines[0], dropped: strings.TrimPrefix(lines[1], noDay), copied: err != nil || lines[2] != self, days: lines[3:],
	}
}
