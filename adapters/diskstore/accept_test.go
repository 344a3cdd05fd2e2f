package diskstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// jobOf returns the body of a job with the messages of those numbers.
func jobOf(to domain.Recipients, numbers ...int) string {
	job := domain.Job{To: to}
	for _, n := range numbers {
		job.Messages = append(job.Messages, sent(n))
	}
	return job.Encode()
}

// sent returns a message as a job carries it.
func sent(n int) domain.Message {
	m := message(n)
	m.SentAt = m.SentAt.Truncate(time.Millisecond)
	return m
}

// Whoever does a job that was kept finds its messages in the log, and waits for no sync.
func TestWhatIsKeptIsInTheLog(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, goals, 1)
	keep(t, s, jobOf(goals, 2, 3), jobOf(domain.ToEveryone(), 4), jobOf(goals, 5))
	if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1, 2, 3, 5)) {
		t.Errorf("the log has %q", got)
	}
	before := s.Syncs()
	at, err := s.Append(t.Context(), goals, []domain.Message{sent(5), sent(2)}, false)
	if err != nil || at[0].Seq != 4 || at[1].Seq != 2 {
		t.Errorf("at %v, %v", at, err)
	}
	if syncs := s.Syncs() - before; syncs > 0 {
		t.Errorf("%d syncs for what is there", syncs)
	}
	if at := add(t, s, goals, 5, 6); at[0].Seq != 4 || at[1].Seq != 5 {
		t.Errorf("then at %v", at)
	}
	if s = reopen(t, s); s.Found().Jobs != 3 || s.Found().Messages != 6 {
		t.Errorf("found %+v", s.Found())
	}
}

// A message to a user is also in the log of its sender.
func TestWhatIsKeptForAnEcho(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	m := sent(1)
	m.To = "bob"
	keep(t, s, domain.Job{To: domain.ToUser("bob"), Echo: true, Messages: []domain.Message{m}}.Encode())
	for _, user := range []string{"bob", "alice"} {
		if got := contents(t, s, domain.ToUser(user), domain.Position{}); !slices.Equal(got, want(1)) {
			t.Errorf("the log of %s has %q", user, got)
		}
	}
}

// A worker appends only the messages of a job that is whole and has no numbers; so does
// Keep.
func TestWhatIsKeptAndNotLogged(t *testing.T) {
	numbered, large := sent(1), sent(2)
	numbered.Seq = 7
	large.Content = domain.Content(`"` + strings.Repeat("x", domain.MaxLogged) + `"`)
	for name, body := range map[string]string{
		"no job":                "x",
		"a numbered job":        domain.Job{To: goals, Epoch: "k3", Messages: []domain.Message{numbered}}.Encode(),
		"a part":                domain.Job{To: goals, Span: domain.Span{Segment: domain.Segment{Total: 2}}, Messages: []domain.Message{sent(1)}}.Encode(),
		"the rest of a scan":    domain.Job{To: goals, Span: domain.Span{Cursor: "c"}, Messages: []domain.Message{sent(1)}}.Encode(),
		"a job for connections": domain.Job{To: goals, Only: []domain.Target{{ID: "abc"}}, Messages: []domain.Message{sent(1)}}.Encode(),
		"too large for a log":   domain.Job{To: goals, Messages: []domain.Message{large}}.Encode(),
	} {
		s := open(t, t.TempDir(), Options{})
		keep(t, s, body)
		if s = reopen(t, s); s.Found().Messages > 0 {
			t.Errorf("%s: it is in the log", name)
		}
		if got := slices.Collect(maps.Values(maps.Collect(s.Journal("jobs").Kept()))); !slices.Equal(got, []string{body}) {
			t.Errorf("%s: %.100q is kept", name, got)
		}
	}
}

// A job that comes with its body is not decoded.
func TestWhatIsKeptNeedNotBeDecoded(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	job := domain.Job{To: goals, Messages: []domain.Message{sent(1)}}
	err := s.Journal("jobs").Keep(t.Context(), []ports.QueueMessage{{Body: "x", Job: &job}}, func([]uint64) {})
	if got := contents(t, s, goals, domain.Position{}); err != nil || !slices.Equal(got, want(1)) {
		t.Errorf("the log has %q, %v", got, err)
	}
}

// Jobs come to their queue in the order of their numbers, whoever waits for them.
func TestJobsComeInTheOrderOfTheirNumbers(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	var got []string // by the writer alone
	var keys []uint64
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			for n := range 4 {
				kept := func(all []uint64) {
					got, keys = append(got, string(message(10*i+n).Content)), append(keys, all...)
				}
				if err := s.Journal("jobs").Keep(t.Context(), queued(jobOf(goals, 10*i+n)), kept); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if all := contents(t, s, goals, domain.Position{}); len(all) != 200 || !slices.Equal(got, all) || !slices.IsSorted(keys) {
		t.Errorf("%d came in another order than the %d of the log, with keys %v", len(got), len(all), keys)
	}
}

// The next call has its place behind one that only waits.
func TestKeepTellsWhenItOnlyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		release := hold(s)
		done := make(chan int, 3)
		for n := range 3 {
			placed := make(chan bool, 1)
			ctx := ports.WithPlaced(t.Context(), func() { placed <- true })
			go func() {
				_, err := keepIn(ctx, s.Journal("jobs"), jobOf(goals, n))
				if err != nil {
					t.Error(err)
				}
				done <- n
			}()
			<-placed
		}
		if synctest.Wait(); len(done) > 0 {
			t.Error("kept while the disk was busy")
		}
		release()
		for range 3 {
			<-done
		}
		if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(0, 1, 2)) {
			t.Errorf("the log has %q", got)
		}
	})
}

// What was kept just before midnight is found after it, in the file of the day before.
func TestWhatIsKeptBeforeMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		time.Sleep(24*time.Hour - time.Second)
		keep(t, s, jobOf(goals, 1))
		m := sent(1)
		time.Sleep(2 * time.Second)
		add(t, s, domain.ToEveryone(), 2)
		at, err := s.Append(t.Context(), goals, []domain.Message{m}, false)
		if err != nil || at[0].Seq != 1 || s.newestName() != "log-2000-01-02.db" {
			t.Errorf("at %v, %v, the file is %s", at, err, s.newestName())
		}
		if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1)) {
			t.Errorf("the log has %q", got)
		}
	})
}

// What could not be written is neither kept nor in the log, then and later.
func TestWhatIsNotKeptIsNotInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		s.newest().db.MaxSize = 64 << 10
		large := sent(1)
		large.Content = domain.Content(`"` + strings.Repeat("x", 90_000) + `"`)
		body := domain.Job{To: goals, Messages: []domain.Message{large}}.Encode()
		if err := s.Journal("jobs").Keep(t.Context(), queued(body), func([]uint64) { t.Error("kept") }); err == nil {
			t.Error("no error")
		}
		s.newest().db.MaxSize = 0
		time.Sleep(restAfterFailure)
		add(t, s, goals, 2)
		if s = reopen(t, s); s.Found().Jobs > 0 || s.Found().Messages != 1 {
			t.Errorf("found %+v", s.Found())
		}
	})
}

// The end of the context withdraws a message that waits. One that is under way will be in
// the log or not: so will its job.
func TestAMessageWhoseContextEnds(t *testing.T) {
	for _, underWay := range []bool{false, true} {
		t.Run(fmt.Sprint("under way ", underWay), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), Options{})
				release, releaseNext := hold(s), hold(s) // the job shares the next transaction
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if underWay {
					time.AfterFunc(time.Second, release)
				}
				time.AfterFunc(20*time.Second, releaseNext)
				keys, err := keepIn(ctx, s.Journal("jobs"), jobOf(goals, 1))
				if err != nil && !errors.Is(err, context.DeadlineExceeded) || underWay != (err == nil && len(keys) == 1) {
					t.Errorf("keys %v, %v", keys, err)
				}
				if !underWay {
					release()
				}
				time.Sleep(30 * time.Second)
				if s = reopen(t, s); (s.Found().Jobs == 1) != underWay || (s.Found().Messages == 1) != underWay {
					t.Errorf("found %+v", s.Found())
				}
			})
		})
	}
}

// A reader sees a transaction before the disk has it. Nobody may get a message by that.
func TestAMessageIsFoundOnlyOnDisk(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	keep(t, s, jobOf(goals, 1))
	s.newest().synced.Add(-1)
	before := s.Syncs()
	at, err := s.Append(t.Context(), goals, []domain.Message{sent(1)}, false)
	if err != nil || at[0].Seq != 1 || s.Syncs() == before {
		t.Errorf("at %v, %v, after %d syncs", at, err, s.Syncs()-before)
	}
}
