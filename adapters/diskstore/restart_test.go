package diskstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

var goals = domain.ToRoom("goals")

// message returns a message with an id of that number.
func message(n int) domain.Message {
	return domain.Message{
		ID: domain.MessageID(fmt.Sprintf("01J%023d", n)), SentAt: time.Now(), Sender: "alice",
		Content: domain.Content(fmt.Sprintf(`"%d %s"`, n, strings.Repeat("x", n*37%300))),
	}
}

// add appends the messages with those numbers, one by one.
func add(tb testing.TB, s *Store, to domain.Recipients, numbers ...int) (at []domain.Position) {
	tb.Helper()
	for _, n := range numbers {
		p, err := s.Append(tb.Context(), to, []domain.Message{message(n)}, true)
		if err != nil {
			tb.Fatal(err)
		}
		at = append(at, p[0].Position)
	}
	return at
}

// unlimited is more content than there is, and more messages.
const unlimited = 1 << 40

// contents returns the contents of the messages after a position, or of all if it is zero.
func contents(tb testing.TB, s *Store, to domain.Recipients, after domain.Position) (all []string) {
	tb.Helper()
	stretch, err := s.After(tb.Context(), to, after, unlimited)
	if after == (domain.Position{}) {
		stretch, err = s.Before(tb.Context(), to, after, unlimited, unlimited)
	}
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range stretch.Messages {
		all = append(all, string(m.Content))
	}
	return all
}

// want are the contents of the messages with those numbers.
func want(numbers ...int) (all []string) {
	for _, n := range numbers {
		all = append(all, string(message(n).Content))
	}
	return all
}

func reopen(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, s.dir, s.opts)
}

// queued returns messages with the bodies.
func queued(bodies ...string) (all []ports.QueueMessage) {
	for _, body := range bodies {
		all = append(all, ports.QueueMessage{Body: body})
	}
	return all
}

// keepIn keeps bodies and returns their keys.
func keepIn(ctx context.Context, j Journal, bodies ...string) (keys []uint64, err error) {
	err = j.Keep(ctx, queued(bodies...), func(all []uint64) { keys = all })
	return keys, err
}

// keep keeps jobs of the queue "jobs".
func keep(tb testing.TB, s *Store, bodies ...string) []uint64 {
	tb.Helper()
	keys, err := keepIn(tb.Context(), s.Journal("jobs"), bodies...)
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

// Numbers, epochs, places and ids are those from before the restart, over several days.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 5 * 24 * time.Hour})
		begin := time.Now()
		nothing, err := s.End(t.Context(), goals)
		if err != nil {
			t.Fatal(err)
		}
		var at []domain.Position
		for day := range 4 {
			at = append(at, add(t, s, goals, 2*day, 2*day+1)...)
			s = reopen(t, s)
			time.Sleep(24 * time.Hour)
		}
		if got, all := contents(t, s, goals, nothing), want(0, 1, 2, 3, 4, 5, 6, 7); !slices.Equal(got, all) {
			t.Errorf("after the place without messages: %q", got)
		}
		for i, p := range at {
			if p != (domain.Position{Epoch: at[0].Epoch, Seq: int64(i + 1)}) {
				t.Errorf("position %d is %q", i, p)
			}
		}
		if got := contents(t, s, goals, at[3]); !slices.Equal(got, want(4, 5, 6, 7)) {
			t.Errorf("after the fourth: %q", got)
		}
		old := message(1)
		old.SentAt = begin
		again, err := s.Append(t.Context(), goals, []domain.Message{old}, true)
		if err != nil || again[0].Position != at[1] {
			t.Errorf("the second message again: %q, %v", again, err)
		}
		if found := s.Found(); found.Messages != 8 || !found.Since.Equal(begin) || len(found.Damaged) > 0 {
			t.Errorf("found %+v since %v", found, begin)
		}
	})
}

// Files are deleted when all of their messages have expired, also while nothing happens.
func TestRetentionDeletesFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 48 * time.Hour})
		for day := range 6 {
			add(t, s, goals, day)
			time.Sleep(24 * time.Hour)
		}
		time.Sleep(time.Hour)
		days, err := s.days()
		if err != nil || !slices.Equal(days, []string{"2000-01-05", "2000-01-06", "2000-01-07"}) {
			t.Errorf("the files are of %v, %v", days, err)
		}
		if s = reopen(t, s); len(s.Found().Damaged) > 0 {
			t.Errorf("found %+v", s.Found())
		}
		if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(5)) {
			t.Errorf("%q are kept", got)
		}
		time.Sleep(10 * 24 * time.Hour)
		if files, _ := filepath.Glob(s.path("log-*")); len(files) != 3 {
			t.Errorf("the files are %v", files)
		}
		if at := add(t, s, goals, 9); at[0].Seq != 1 {
			t.Errorf("the log starts over at %q", at)
		}
	})
}

// Jobs go with the newest file, until they are forgotten.
func TestJobsOutliveRestartsAndDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		keys, err := keepIn(t.Context(), s.Journal("a"), "one", "two", "three")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keepIn(t.Context(), s.Journal("b"), "other"); err != nil {
			t.Fatal(err)
		}
		s.Journal("a").Forget(keys[1])
		for range 3 {
			time.Sleep(24 * time.Hour)
			s = reopen(t, s)
			var got []string
			for key, body := range s.Journal("a").Kept() {
				got, keys = append(got, body), append(keys, key)
			}
			if !slices.Equal(got, []string{"one", "three"}) || s.Found().Jobs != 3 {
				t.Errorf("kept %q, found %+v", got, s.Found())
			}
		}
		s.Journal("a").Forget(keys...)
		more, err := keepIn(t.Context(), s.Journal("a"), "four")
		if err != nil || more[0] <= slices.Max(keys) {
			t.Errorf("the keys go on with %v after %v, %v", more, keys, err)
		}
		s = reopen(t, s)
		if got := slices.Collect(maps.Values(maps.Collect(s.Journal("a").Kept()))); !slices.Equal(got, []string{"four"}) {
			t.Errorf("kept %q", got)
		}
	})
}

func TestOneProcessAtATime(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	_, err := Open(s.dir, s.opts)
	if !errors.Is(err, ErrInUse) || err.Error() != s.dir+" is in use by another process" {
		t.Errorf("the error is %v", err)
	}
	reopen(t, s)
}

// The error names the directory once.
func TestADirectoryThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, Options{})
	if !errors.Is(err, syscall.EISDIR) || err.Error() != dir+": "+syscall.EISDIR.Error() {
		t.Errorf("the error is %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{}); err == nil || err.Error() != file+": "+syscall.ENOTDIR.Error() {
		t.Errorf("the error is %v", err)
	}
}

// A restored backup whose index was deleted uses no number again that the original used.
func TestARestoredBackup(t *testing.T) {
	s, backup := open(t, t.TempDir(), Options{}), t.TempDir()
	add(t, s, goals, 1)
	keep(t, s, "job")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(backup, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	s = open(t, s.dir, Options{})
	at := add(t, s, goals, 2, 3)
	if err := os.Remove(filepath.Join(backup, indexName)); err != nil {
		t.Fatal(err)
	}
	s = open(t, backup, Options{})
	add(t, s, goals, 12, 13, 14)
	for _, p := range at {
		if _, err := s.After(t.Context(), goals, p, 1000); !errors.Is(err, ports.ErrReset) {
			t.Errorf("after %q: %v, want ErrReset", p, err)
		}
	}
	if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1, 12, 13, 14)) || s.Found().Jobs != 1 {
		t.Errorf("%q are kept, found %+v", got, s.Found())
	}
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, appended := s.Append(t.Context(), goals, []domain.Message{message(1)}, false)
	_, ended := s.End(t.Context(), goals)
	_, kept := keepIn(t.Context(), s.Journal("a"), "x")
	for _, err := range []error{appended, ended, kept} {
		if !errors.Is(err, errClosed) {
			t.Errorf("the error is %v", err)
		}
	}
}

// A file of the list that is not there makes a new log, which keeps the rest.
func TestAMissingFileMakesANewLog(t *testing.T) {
	for _, missing := range []string{"log-2000-01-02.db", indexName} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, t.TempDir(), Options{Retention: 10 * 24 * time.Hour})
			var at []domain.Position
			for day := range 3 {
				at = append(at, add(t, s, goals, day)...)
				time.Sleep(24 * time.Hour)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(s.path(missing)); err != nil {
				t.Fatal(err)
			}
			s = reopen(t, s)
			for _, p := range at {
				if _, err := s.After(t.Context(), goals, p, 1000); !errors.Is(err, ports.ErrReset) {
					t.Errorf("after %q: %v, want ErrReset", p, err)
				}
			}
			if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got[len(got)-1:], want(2)) {
				t.Errorf("%q are kept", got)
			}
			if p := add(t, s, goals, 7)[0]; p.Seq != 4 || p.Epoch == at[0].Epoch {
				t.Errorf("the log goes on at %q after %q", p, at)
			}
			name := s.name
			if s = reopen(t, s); s.name != name {
				t.Error("the log is new again")
			}
		})
	}
}
