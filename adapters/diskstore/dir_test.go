package diskstore

import (
	"os"
	"path/filepath"
	"testing"
)

// A start removes what a crash has left unfinished, and no file of others.
func TestUnfinishedFiles(t *testing.T) {
	dir := t.TempDir()
	left := map[string]bool{
		"index.new": false, "log-2000-01-02.db.new": false,
		"notes.new": true, "log-today.db.new": true, "log-2000-01-02.dbx": true, "2000-01-02.new": true,
	}
	for name := range left {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir, Options{})
	for name, stays := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); os.IsNotExist(err) == stays {
			t.Errorf("%s: %v", name, err)
		}
	}
}
