package diskstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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
	if _, err := keepIn(t.Context(), s.Journal("jobs"), strings.Repeat("x", 100_000)); err == nil {
		t.Error("a job was kept all the same")
	}
	if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(in...)) {
		t.Errorf("%d messages can be read, want %d", len(got), len(in))
	}
}

// recovers checks that the log goes on, and is whole after another start.
func recovers(t *testing.T, s *Store, in []int, out int) {
	t.Helper()
	time.Sleep(restAfterFailure)
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
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		s.newest().db.MaxSize = 256 << 10
		in, out := fillUp(t, s)
		refuses(t, s, in, out)
		s.newest().db.MaxSize = 0
		recovers(t, s, in, out)
	})
}

// After a commit that failed, all are refused at once for a while.
func TestARestAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		s.newest().db.MaxSize = 256 << 10
		_, out := fillUp(t, s)
		s.newest().db.MaxSize = 0
		tries := s.Syncs()
		for range 10 {
			if _, err := s.Append(t.Context(), goals, []domain.Message{message(out)}, true); err == nil {
				t.Fatal("appended")
			}
			time.Sleep(restAfterFailure / 10)
		}
		if tries = s.Syncs() - tries; tries > 0 {
			t.Errorf("the disk was asked for %d syncs", tries)
		}
		add(t, s, goals, out)
	})
}

// The disk is full in earnest, until something else on it is deleted.
func TestAFullDisk(t *testing.T) {
	dir := testenv.SmallDisk(t, 1<<20)
	synctest.Test(t, func(t *testing.T) {
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
	})
}

// The disk is full when the first start of a day creates its file. What is there is served,
// and writes go on when there is space.
func TestAFullDiskOnANewDay(t *testing.T) {
	dir := testenv.SmallDisk(t, 1<<20)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(dir, "data"), Options{Retention: 48 * time.Hour})
		add(t, s, goals, 1)
		keep(t, s, "job")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		ballast := fillDisk(t, dir)
		s = open(t, s.dir, s.opts)
		if s.Found().Jobs != 1 {
			t.Errorf("found %+v", s.Found())
		}
		for range 3 {
			time.Sleep(restAfterFailure)
			if _, err := s.Append(t.Context(), goals, []domain.Message{message(2)}, true); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("the error is %v", err)
			}
		}
		if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1)) {
			t.Errorf("%q can be read", got)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		time.Sleep(restAfterFailure)
		add(t, s, goals, 2)
		if s = reopen(t, s); s.newestName() != "log-2000-01-02.db" || s.Found().Jobs != 1 || s.Found().Messages != 2 {
			t.Errorf("found %+v, newest is %s", s.Found(), s.newestName())
		}
	})
}

// A service that stops and starts while the disk is full goes on with its log: the index
// stays as it was.
func TestAStopAndAStartOnAFullDisk(t *testing.T) {
	dir := testenv.SmallDisk(t, 1<<20)
	var log bytes.Buffer
	s := open(t, filepath.Join(dir, "data"), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	add(t, s, goals, 1)
	name := s.name
	ballast := fillDisk(t, dir)
	for range 2 {
		if s = reopen(t, s); s.name != name {
			t.Errorf("the log has the name %s, not %s:\n%s", s.name, name, log.String())
		}
	}
	if !strings.Contains(log.String(), "nothing can be written") {
		t.Errorf("the index was written: the log says %s", log.String())
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if s = reopen(t, s); s.name != name {
		t.Errorf("in the end the log has the name %s, not %s:\n%s", s.name, name, log.String())
	}
}

// fillDisk takes all space, and returns the file that does.
func fillDisk(t *testing.T, dir string) string {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return ballast
}

// A first start that does not get as far as its file is no reason for the next to miss it.
func TestAFirstStartThatFails(t *testing.T) {
	small, dir := testenv.SmallDisk(t, 12<<10), t.TempDir()
	if _, err := Open(small, Options{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the error is %v", err)
	}
	if err := os.CopyFS(dir, os.DirFS(small)); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 2 {
		t.Errorf("there are %v", files)
	}
	var log bytes.Buffer
	open(t, dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if log.Len() > 0 {
		t.Errorf("the log says %s", log.String())
	}
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
				if err := s.do(t.Context(), &operation{apply: func(*batch) error { return bad }}); err != bad {
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
	cancel()
	if _, err := keepIn(ctx, s.Journal("jobs"), "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
