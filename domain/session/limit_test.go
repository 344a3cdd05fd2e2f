package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
	"serverless-websocket/ports"
)

// limited returns a world with limits, with one message of so many bytes for everyone, and
// the position before it.
func limited(t *testing.T, limits session.ReadLimits, size int) (*world, map[string]domain.Position) {
	w := newWorld(t)
	w.Limiter = session.NewReadLimiter(limits)
	at := w.say(domain.ToEveryone(), 1, size)
	return w, map[string]domain.Position{"everyone": at[0]}
}

func nth(i int) domain.ConnectionID { return domain.ConnectionID(fmt.Sprint("c", i)) }

// asks resumes, and returns for how long the client is told to wait; 0 if it has an answer.
func (w *world) asks(id domain.ConnectionID, positions map[string]domain.Position) time.Duration {
	w.Helper()
	all, err := w.Resume(w.Context(), id, domain.Principal{}, positions)
	if err != nil {
		return w.told(err)
	}
	if len(all) != 1 || len(all[0].Messages) != 1 {
		w.Errorf("%s gets %+v", id, all)
	}
	return 0
}

// told returns for how long a client is told to wait.
func (w *world) told(err error) time.Duration {
	w.Helper()
	var refused *domain.Error
	if !errors.As(err, &refused) || refused.Code != domain.Unavailable || refused.Cause != nil || refused.RetryAfter <= 0 {
		w.Fatalf("refused by %+v, want to be told to wait", err)
	}
	return refused.RetryAfter
}

// A crowd of which each client needs 3 units: what can be taken at once serves some, and
// the others are told to come one after the other, and get what they want when they do.
func TestACrowdIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crowd, atOnce, perSecond = 1000, 100, 50
		w, missed := limited(t, session.ReadLimits{AtOnce: 1, PerSecond: 3 * perSecond, Burst: 3 * atOnce}, 10<<10)
		began, latest, inSeconds := time.Now(), time.Duration(0), map[int]int{}
		waits := map[domain.ConnectionID]time.Duration{}
		for i := range crowd {
			if wait := w.asks(nth(i), missed); wait > 0 {
				waits[nth(i)] = wait
				latest = max(latest, wait)
				inSeconds[int(wait.Seconds())]++
			}
		}
		if len(waits) != crowd-atOnce {
			t.Errorf("%d have to wait, want %d", len(waits), crowd-atOnce)
		}
		if least := time.Duration(crowd-atOnce) * time.Second / perSecond; latest < least || latest > least*3/2 {
			t.Errorf("the last has to wait for %v, want %v and up to a half more", latest, least)
		}
		for second, n := range inSeconds {
			if second > 2 && n > 2*perSecond {
				t.Errorf("%d are to come in second %d", n, second)
			}
		}
		for len(waits) > 0 {
			time.Sleep(100 * time.Millisecond)
			for id, wait := range waits {
				if time.Since(began) < wait {
					continue
				}
				if again := w.asks(id, missed); again > 0 {
					t.Errorf("%s comes after %v, and is to wait for %v", id, wait, again)
				}
				delete(waits, id)
			}
		}
		time.Sleep(time.Second)
		if wait := w.asks("late", missed); wait > 0 {
			t.Errorf("after the crowd, a client waits for %v", wait)
		}
	})
}

// A client that asks a hundred times a second gets no more than one that does as it is told.
func TestAskingOftenIsOfNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, missed := limited(t, session.ReadLimits{AtOnce: 1, PerSecond: 1, Burst: 1}, 1)
		greedy, patient := 0, 0
		for next, began := time.Now(), time.Now(); time.Since(began) < 200*time.Second; time.Sleep(10 * time.Millisecond) {
			if w.asks("greedy", missed) == 0 {
				greedy++
			}
			if time.Now().Before(next) {
				continue
			}
			wait := w.asks("patient", missed)
			if wait == 0 {
				patient++
			}
			next = time.Now().Add(wait)
		}
		if sum := greedy + patient; sum < 100 || sum > 202 || greedy > patient*3/2 {
			t.Errorf("the greedy one gets %d answers, the patient one %d", greedy, patient)
		}
	})
}

// held is a log whose answers wait.
type held struct {
	ports.MessageLog
	asked, answer chan struct{}
}

func (l *held) After(ctx context.Context, to domain.Recipients, at domain.Position, size int) (ports.Stretch, error) {
	l.asked <- struct{}{}
	<-l.answer
	return l.MessageLog.After(ctx, to, at, size)
}

// While requests wait for a log that hangs, others do not wait with them: also those that
// load a page.
func TestALogThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, missed := limited(t, session.ReadLimits{AtOnce: 2, PerSecond: 100, Burst: 100}, 1)
		log := &held{MessageLog: w.log, asked: make(chan struct{}), answer: make(chan struct{})}
		w.History.Log = log
		for i := range 2 {
			go func() {
				if wait := w.asks(nth(i), missed); wait > 0 {
					t.Errorf("%d is to wait for %v", i, wait)
				}
			}()
			<-log.asked
		}
		w.asks("third", missed)
		_, err := w.Load(t.Context(), "fourth", domain.Principal{}, domain.ToEveryone(), domain.Position{}, 1)
		w.told(err)
		_, err = w.LoadConversation(t.Context(), "fifth", bob, "alice", "", 1)
		w.told(err)
		_, err = w.Load(t.Context(), "fourth", domain.Principal{}, goals, domain.Position{}, 0)
		wantCode(t, err, domain.InvalidPage) // waiting would not help
		close(log.answer)
		synctest.Wait()
		time.Sleep(2 * time.Second)
		go func() { <-log.asked }()
		if wait := w.asks("third", missed); wait > 0 {
			t.Errorf("when the log has answered, it is to wait for %v", wait)
		}
	})
}

// Requests that fail are counted too.
func TestFailuresAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, missed := limited(t, session.ReadLimits{AtOnce: 1, PerSecond: 1, Burst: 3}, 1)
		for i := range 3 {
			w.connections.first("Get", func() error { return errors.New("down") })
			_, err := w.Resume(t.Context(), nth(i), domain.Principal{}, missed)
			wantCode(t, err, domain.Unavailable)
			if errors.Unwrap(err) == nil {
				t.Errorf("%v is a limit", err)
			}
		}
		if wait := w.asks("next", missed); wait == 0 {
			t.Error("failures cost nothing")
		}
	})
}

// However many come, nobody waits for much more than a minute, they do not come in step,
// and who does not come is forgotten.
func TestTheLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, missed := limited(t, session.ReadLimits{AtOnce: 1, PerSecond: 1, Burst: 1}, 1)
		longest, waits := time.Duration(0), map[time.Duration]bool{}
		for i := range 300 {
			wait := w.asks(nth(i), missed)
			longest, waits[wait] = max(longest, wait), true
		}
		if len(waits) < 290 {
			t.Errorf("there are only %d different waits", len(waits))
		}
		if longest < time.Minute || longest > 90*time.Second {
			t.Errorf("the longest wait is %v", longest)
		}
		if n := w.Limiter.Told(); n != 299 {
			t.Errorf("%d wait", n)
		}
		time.Sleep(3 * time.Minute)
		w.asks("next", missed)
		if n := w.Limiter.Told(); n != 0 {
			t.Errorf("%d are remembered", n)
		}
	})
}
