package diskstore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
)

// indexName is a file with the log's name, Store.dropped, the days that have a file, and a
// checksum, one a line. By it, a start finds out that a file is missing. A day may stay in
// the list until the next is created, though its file has been dropped.
const indexName = "index"

// noDay stands for no day in the index.
const noDay = "none"

// listed returns the days of the open files.
func (s *Store) listed() []string {
	days := make([]string, 0, len(s.files)+1)
	for _, f := range s.files {
		days = append(days, f.day)
	}
	return days
}

// writeIndex replaces the index, unless it is the same.
func (s *Store) writeIndex(days []string) error {
	lines := append([]string{s.name, cmp.Or(s.dropped, noDay)}, days...)
	text := []byte(strings.Join(lines, "\n") + "\n")
	text = fmt.Appendf(text, "%08x\n", checksum(nil, text))
	path := s.path(indexName)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	s.syncs.Add(2)
	return errors.Join(writeSynced(path+".new", text), os.Rename(path+".new", path), syncDir(s.dir))
}

func writeSynced(path string, text []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// readIndex returns an empty name if there is no index, or if it is damaged.
func (s *Store) readIndex() (name, dropped string, days []string) {
	text, err := os.ReadFile(s.path(indexName))
	end := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') + 1
	if err != nil || string(text[end:]) != fmt.Sprintf("%08x\n", checksum(nil, text[:end])) {
		return "", "", nil
	}
	lines := strings.Fields(string(text[:end]))
	return lines[0], strings.TrimPrefix(lines[1], noDay), lines[2:]
}
