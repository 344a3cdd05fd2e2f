package diskstore

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
)

// waitAtLastSync has the next commit wait at its last sync until release is called: bbolt
// shows readers the transaction by then.
func waitAtLastSync(f *file) (release func()) {
	goOn := make(chan bool)
	f.write = func(tx *bbolt.Tx) error {
		f.write = (*bbolt.Tx).Commit
		err := tx.Commit()
		<-goOn
		return err
	}
	return func() { close(goOn) }
}

// failAtLastSync has the next commit fail at its last sync.
func failAtLastSync(f *file) {
	f.write = func(tx *bbolt.Tx) error {
		f.write = (*bbolt.Tx).Commit
		return errors.Join(tx.Commit(), syscall.EIO)
	}
}

// What a reader gets is on disk: a crash does not take it back, and give its number to
// another message.
func TestNobodyReadsWhatIsNotOnDisk(t *testing.T) {
	m := sent(2)
	m.To = "bob"
	for name, read := range map[string]func(context.Context, *Store) error{
		"End": func(ctx context.Context, s *Store) error {
			_, err := s.End(ctx, goals)
			return err
		},
		"After": func(ctx context.Context, s *Store) error {
			_, err := s.After(ctx, goals, domain.NothingSince(time.Now(), s.name), 1000)
			return err
		},
		"Before": func(ctx context.Context, s *Store) error {
			_, err := s.Before(ctx, goals, domain.Position{}, 10, 1000)
			return err
		},
		"Append": func(ctx context.Context, s *Store) error {
			_, err := s.Append(ctx, goals, []domain.Message{sent(1)}, true)
			return err
		},
		"conversation": func(ctx context.Context, s *Store) error {
			_, _, err := s.Conversations().Before(ctx, m.Conversation(), "", 10, 1000)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), Options{})
				release := waitAtLastSync(s.newest())
				go keepIn(t.Context(), s.Journal("jobs"), jobOf(goals, 1))
				synctest.Wait()
				short, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := read(short, s); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it does not wait: %v", err)
				}
				done := make(chan error, 1)
				go func() { done <- read(t.Context(), s) }()
				if synctest.Wait(); len(done) > 0 {
					t.Error("it has not waited")
				}
				release()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// After the last sync has failed, nobody reads what may not be on disk until another
// transaction has put it there; but a job that may be there is on its queue.
func TestADiskThatFailsAtTheLastSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		add(t, s, goals, 1)
		failAtLastSync(s.newest())
		var keys []uint64
		kept := func(all []uint64) { keys = all }
		if err := s.Journal("jobs").Keep(t.Context(), queued(jobOf(goals, 2)), kept); !errors.Is(err, syscall.EIO) || len(keys) != 1 {
			t.Errorf("keys %v, %v", keys, err)
		}
		if _, err := s.End(t.Context(), goals); !errors.Is(err, errInDoubt) {
			t.Errorf("the end is read: %v", err)
		}
		if _, err := s.Append(t.Context(), goals, []domain.Message{sent(2)}, true); err == nil {
			t.Error("the message is found")
		}
		time.Sleep(tidyEvery)
		synctest.Wait()
		if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1, 2)) {
			t.Errorf("the log has %q", got)
		}
		at := add(t, s, goals, 2, 3)
		if at[0].Seq != 2 || at[1].Seq != 3 {
			t.Errorf("at %v", at)
		}
		if s = reopen(t, s); s.Found().Jobs != 1 {
			t.Errorf("found %+v", s.Found())
		}
	})
}

// Nobody has the job whose context ended: it is forgotten, also if it may be on disk.
func TestARefusedJobOfADiskThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		release := hold(s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		time.AfterFunc(500*time.Millisecond, func() {
			f, goOn := s.newest(), make(chan bool)
			time.AfterFunc(time.Second, func() { close(goOn) })
			f.write = func(tx *bbolt.Tx) error { // of the transaction that waits
				f.write = func(tx *bbolt.Tx) error {
					f.write = (*bbolt.Tx).Commit
					<-goOn
					return errors.Join(tx.Commit(), syscall.EIO)
				}
				return tx.Commit()
			}
			release()
		})
		if _, err := keepIn(ctx, s.Journal("jobs"), "refused"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		time.Sleep(2 * tidyEvery)
		if s = reopen(t, s); s.Found().Jobs != 0 {
			t.Errorf("found %+v", s.Found())
		}
	})
}

// The doubt ends with the day: nothing is written to its file later.
func TestADoubtEndsAtMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 48 * time.Hour})
		time.Sleep(24*time.Hour - restAfterFailure)
		failAtLastSync(s.newest())
		if _, err := s.Append(t.Context(), goals, []domain.Message{sent(1)}, false); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		time.Sleep(2 * restAfterFailure)
		if at := add(t, s, goals, 2); at[0].Seq != 2 || s.newestName() != "log-2000-01-02.db" {
			t.Errorf("at %v in %s", at, s.newestName())
		}
		if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1, 2)) {
			t.Errorf("the log has %q", got)
		}
	})
}
