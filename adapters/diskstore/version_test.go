package diskstore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
)

// A file with other buckets is set aside, and the log says why: whoever has gone back to an
// earlier version must not look for a damaged disk.
func TestAFileOfAnotherVersionIsSetAside(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, goals, 1)
	path := s.path(s.newestName())
	stop(t, s)
	db, err := bbolt.Open(path, 0o600, boltOptions(false))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("presence"))
		return err
	})
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	s, log := openLogged(t, dir)
	if len(s.Found().Damaged) != 1 || !strings.Contains(log.String(), "another version") {
		t.Errorf("found %+v, the log says %s", s.Found(), log)
	}
}

// An index without an identity is one of a first start that got no further, before indexes
// had them.
func TestAnIndexOfAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	text := []byte("abcdefg\n" + noDay + "\n")
	if err := os.WriteFile(filepath.Join(dir, indexName), fmt.Appendf(text, "%08x\n", checksum(nil, text)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{})
	add(t, s, goals, 1)
	if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1)) {
		t.Errorf("the log has %q", got)
	}
}
