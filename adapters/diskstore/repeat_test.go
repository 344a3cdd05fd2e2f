package diskstore

import (
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// A first try is found by its repeat, and a repeat by a first try that comes late, after a
// restart and on the next day.
func TestRepeatsAcrossARestartAndADay(t *testing.T) {
	for name, pause := range map[string]time.Duration{"restart": time.Minute, "the next day": 10 * time.Minute} {
		for _, order := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), Options{Retention: 48 * time.Hour})
				time.Sleep(24*time.Hour - 5*time.Minute) // from midnight on
				first, repeat := message(1), message(2)
				first.Ref, repeat.Ref, repeat.Again = "r", "r", order
				first.Again = !order
				if _, err := s.Append(t.Context(), goals, []domain.Message{first}, false); err != nil {
					t.Fatal(err)
				}
				s = reopen(t, s)
				time.Sleep(pause)
				add(t, s, goals, 3)
				repeat.SentAt = time.Now()
				entries, err := s.Append(t.Context(), goals, []domain.Message{repeat}, false)
				if err != nil || entries[0] != (ports.Entry{RepeatOf: first.ID}) {
					t.Errorf("%s, %v: %+v, %v", name, order, entries, err)
				}
			})
		}
	}
}
