package diskstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// hold has the writer wait within a transaction until release is called.
func hold(s *Store) (release func()) {
	goOn := make(chan bool)
	go s.do(context.Background(), &operation{apply: func(*batch) error {
		<-goOn
		return nil
	}})
	synctest.Wait()
	return func() { close(goOn) }
}

// A job that is refused since the context ended is delivered by no later start: neither one
// that has waited, nor one whose transaction was under way.
func TestARefusedJobIsNotKept(t *testing.T) {
	for name, underWay := range map[string]bool{"waiting": false, "under way": true} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // a tick of tidy may come first, or not
				synctest.Test(t, func(t *testing.T) { refuseJob(t, underWay) })
			}
		})
	}
}

func refuseJob(t *testing.T, underWay bool) {
	s := open(t, t.TempDir(), Options{})
	release, releaseNext := hold(s), hold(s) // the job shares the next transaction
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if underWay {
		time.AfterFunc(time.Second, release)
	}
	if _, err := keepIn(ctx, s.Journal("jobs"), "refused"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	time.Sleep(51 * time.Second) // a tick waits
	if !underWay {
		release()
	}
	releaseNext()
	synctest.Wait()
	time.Sleep(10 * time.Minute)
	if s = reopen(t, s); s.Found().Jobs != 0 {
		t.Errorf("found %+v", s.Found())
	}
}

// What is not on disk need not be removed from it.
func TestRefusedJobsTakeNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		s.newest().db.MaxSize = 64 << 10
		for range 20 {
			if _, err := keepIn(t.Context(), s.Journal("jobs"), strings.Repeat("x", 100_000)); err == nil {
				t.Fatal("kept")
			}
			time.Sleep(restAfterFailure / 2)
		}
		if keys := s.takeForgotten(); len(keys) > 0 {
			t.Errorf("%d jobs are to be removed", len(keys))
		}
	})
}
