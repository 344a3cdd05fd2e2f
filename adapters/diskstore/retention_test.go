package diskstore

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// A message that is no longer served, since the retention was shorter for a while, is
// missed by whoever was there before it: its file is gone, or it is of an older epoch.
func TestRetentionLoweredAndRaised(t *testing.T) {
	const day = 24 * time.Hour
	for name, pause := range map[string]time.Duration{"the file is gone": 3 * day, "the file is there": day + time.Hour} {
		for _, more := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", more ", more), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := open(t, t.TempDir(), Options{Retention: 7 * day})
					before := place(t, s)
					time.Sleep(time.Hour)
					add(t, s, goals, 1)
					s = reopenFor(t, s, day)
					time.Sleep(pause)
					after := place(t, s)
					if more {
						add(t, s, goals, 2)
					}
					s = reopenFor(t, s, 7*day)
					gone := more || pause > 2*day
					if _, err := s.After(t.Context(), goals, before, 1000); errors.Is(err, ports.ErrExpired) != gone {
						t.Errorf("after a place before the message: %v", err)
					}
					if got := contents(t, s, goals, after); more && len(got) != 1 {
						t.Errorf("after a place behind it: %q", got)
					}
				})
			})
		}
	}
}

// A start deletes what has expired at once: with a shorter retention, that may be much.
func TestRetentionLoweredFreesSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 30 * 24 * time.Hour})
		for day := range 5 {
			add(t, s, goals, day)
			keep(t, s, "job")
			time.Sleep(24 * time.Hour)
		}
		time.Sleep(time.Hour) // the file of the day is there
		s = reopenFor(t, s, 24*time.Hour)
		days, err := s.days()
		if err != nil || !slices.Equal(days, []string{"2000-01-05", "2000-01-06"}) {
			t.Errorf("the files are of %v, %v", days, err)
		}
		if found := s.Found(); found.Jobs != 5 || found.Messages != 1 || len(found.Damaged) > 0 {
			t.Errorf("found %+v", found)
		}
	})
}

// reopenFor opens the store with another retention.
func reopenFor(t *testing.T, s *Store, retention time.Duration) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, s.dir, Options{Retention: retention})
}

// place returns where the log ends.
func place(t *testing.T, s *Store) domain.Position {
	t.Helper()
	end, err := s.End(t.Context(), goals)
	if err != nil {
		t.Fatal(err)
	}
	return end
}
