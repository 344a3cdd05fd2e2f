package diskstore

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// The log of a directory that was left goes on under a new name, with what it has.
func TestADirectoryThatWasLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	leave := func(want bool) {
		t.Helper()
		if left, err := Leave(dir); err != nil || left != want {
			t.Fatalf("left: %v, %v; want %v", left, err, want)
		}
	}
	leave(false)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory was made: %v", err)
	}
	s := open(t, dir, Options{})
	at := add(t, s, goals, 1, 2)[1]
	keep(t, s, "job")
	if _, err := Leave(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("while it is open: %v, want ErrInUse", err)
	}
	stop(t, s)
	leave(true)
	leave(false)
	s = open(t, dir, Options{})
	if _, err := s.After(t.Context(), goals, at, 1000); !errors.Is(err, ports.ErrReset) {
		t.Errorf("after %q: %v, want ErrReset", at, err)
	}
	if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1, 2)) || s.Found().Jobs != 1 {
		t.Errorf("%q are kept, found %+v", got, s.Found())
	}
	staysTheSame(t, s)
}
