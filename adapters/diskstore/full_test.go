package diskstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/testenv"
)

// fillUp appends until there is no space, and returns the numbers of the messages that are
// in the log, and of the one that is not.
func fillUp(t *testing.T, s *Store) (in []int, out int) {
	t.Helper()
	for n := range 100_000 {
		if _, err := s.Append(t.Context(), goals, []domain.Message{message(n)}, true); err != nil {
			t.Logf("message %d: %v", n, err)
			return in, n
		}
		in = append(in, n)
	}
	t.Fatal("the disk is never full")
	return nil, 0
}

// refuses checks that nothing can be written, and everything be read.
func refuses(t *testing.T, s *Store, in []int, out int) {
	t.Helper()
	for range 5 {
		if _, err := s.Append(t.Context(), goals, []domain.Message{message(out)}, true); err == nil {
			t.Fatal("appended all the same")
		}
	}
	if _, err := s.Journal("jobs").Keep(t.Context(), []string{strings.Repeat("x", 100_000)}); err == nil {
		t.Error("a job was kept all the same")
	}
	if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(in...)) {
		t.Errorf("%d messages can be read, want %d", len(got), len(in))
	}
}

// recovers checks that the log goes on, and is whole after another start.
func recovers(t *testing.T, s *Store, in []int, out int) {
	t.Helper()
	add(t, s, goals, out, out, out+1)
	s = reopen(t, s)
	if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(append(in, out, out+1)...)) {
		t.Errorf("%d messages, want %d", len(got), len(in)+2)
	}
	if f := s.Found(); len(f.Damaged) > 0 || f.Jobs > 0 {
		t.Errorf("found %+v", f)
	}
}

// bbolt refuses to let the file grow.
func TestAFileThatCannotGrow(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	s.newest().db.MaxSize = 256 << 10
	in, out := fillUp(t, s)
	refuses(t, s, in, out)
	s.newest().db.MaxSize = 0
	recovers(t, s, in, out)
}

// The disk is full in earnest, until something else on it is deleted.
func TestAFullDisk(t *testing.T) {
	dir := testenv.SmallDisk(t, 1<<20)
	s := open(t, filepath.Join(dir, "data"), Options{})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 600<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	in, out := fillUp(t, s)
	refuses(t, s, in, out)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	recovers(t, s, in, out)
}

// Whoever waits while a commit is under way shares the next one.
func TestGroupCommit(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	const writers, each = 50, 20
	before := s.Syncs()
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for n := range each {
				to := domain.ToRoom(fmt.Sprint("r", i%7))
				if _, err := s.Append(t.Context(), to, []domain.Message{message(i*each + n)}, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if syncs := s.Syncs() - before; syncs > writers*each {
		t.Errorf("%d syncs for %d messages of %d writers", syncs, writers*each, writers)
	}
}

// An operation that fails by itself does not take the others with it, and one whose
// context ends does not wait.
func TestOperationsAreApart(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	bad := errors.New("bad")
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			if i%4 == 0 {
				if err := s.do(t.Context(), func(*batch) error { return bad }); err != bad {
					t.Errorf("got %v", err)
				}
				return
			}
			add(t, s, goals, i)
		})
	}
	group.Wait()
	if got := contents(t, s, goals, domain.Position{}); len(got) != 30 {
		t.Errorf("%d messages", len(got))
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.do(t.Context(), func(*batch) error {
		cancel()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := s.Journal("jobs").Keep(ctx, []string{"x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
