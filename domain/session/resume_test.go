package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"serverless-websocket/adapters/memlog"
	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

// resume returns what a connection gets, a line for each channel.
func (w *world) resume(id domain.ConnectionID, who domain.Principal, positions map[string]domain.Position) string {
	w.Helper()
	all, err := w.Resume(w.Context(), id, who, positions)
	if err != nil {
		w.Fatal(err)
	}
	var lines []string
	for _, one := range all {
		line := domain.ChannelName(one.To)
		switch {
		case one.Refused != nil:
			line += " refused: " + string(one.Refused.Code)
		case one.Lost != "":
			line += fmt.Sprintf(" %s at %s", one.Lost, one.Position)
		case one.Asked:
			line += fmt.Sprintf(" [%s] at %s", numbers(one.Messages), one.Position)
		default:
			line += fmt.Sprintf(" is at %s", one.Position)
		}
		if one.More {
			line += fmt.Sprintf(" of %s", one.End)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (w *world) want(got string, lines ...string) {
	w.Helper()
	if want := strings.Join(lines, "\n"); got != want {
		w.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// epochs names the epochs of a log e1, e2 and so on.
func epochs() func() domain.Epoch {
	n := 0
	return func() domain.Epoch {
		n++
		return domain.Epoch(fmt.Sprint("e", n))
	}
}

func TestWhatAUserHasMissed(t *testing.T) {
	w := newWorld(t)
	w.log.MessageLog = memlog.New(memlog.Options{NewEpoch: epochs()})
	w.connect("a", alice)
	w.join("a", alice, "goals", "chess")
	e := w.say(domain.ToEveryone(), 1, 1, 1)
	u := w.say(domain.ToUser("alice"), 1, 1)
	g := w.say(goals, 1)
	w.say(domain.ToRoom("chess"), 1, 1)
	w.say(domain.ToRoom("other"), 1)
	w.want(w.resume("a", alice, nil), "everyone is at e1.3", "user is at e2.2", "room:chess is at e4.2", "room:goals is at e3.1")
	w.want(w.resume("a", alice, map[string]domain.Position{"everyone": e[0], "user": u[1], "room:goals": {Epoch: "old", Seq: 1}, "room:other": e[0]}),
		"everyone [2 3] at e1.3", "user [] at e2.2", "room:chess is at e4.2", "room:goals reset at e3.1", "room:other refused: not_a_member")
	w.want(w.resume("a", alice, map[string]domain.Position{"room:goals": {Epoch: g[0].Epoch, Seq: 7}}),
		"everyone is at e1.3", "user is at e2.2", "room:chess is at e4.2", "room:goals reset at e3.1")
}

func TestWhatAClientMayNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.MessageLog = memlog.New(memlog.Options{NewEpoch: epochs()})
		e := w.say(domain.ToEveryone(), 1)
		w.say(goals, 1)
		named := map[string]domain.Position{"everyone": e[0], "user": e[0], "room:goals": e[0], "room:chess": e[0]}
		w.connect("anonymous", domain.Principal{})
		w.want(w.resume("anonymous", domain.Principal{}, named),
			"everyone [] at e1.1", "user refused: unauthenticated", "room:chess refused: unauthenticated", "room:goals refused: unauthenticated")
		scoped := domain.Principal{User: "alice", Scope: domain.NewScope("room:chess:read")}
		w.connect("a", scoped)
		w.join("a", scoped, "chess")
		reset := " reset at " + w.nothingSince(time.Now()).String()
		w.want(w.resume("a", scoped, named), "everyone [] at e1.1", "user"+reset, "room:chess"+reset, "room:goals refused: forbidden")
	})
}

func TestWhatResumeRefuses(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	at := domain.Position{Epoch: "a", Seq: 1}
	for _, name := range []string{"", "everyone ", "users", "user:alice", "room:", "room:a b", "goals", "room"} {
		_, err := w.Resume(t.Context(), "a", alice, map[string]domain.Position{"everyone": at, name: at})
		wantCode(t, err, domain.InvalidPosition)
	}
	many := map[string]domain.Position{}
	for i := range 103 {
		if _, err := w.Resume(t.Context(), "a", alice, many); err != nil {
			t.Fatalf("%d channels: %v", i, err)
		}
		many[fmt.Sprint("room:", i)] = at
	}
	_, err := w.Resume(t.Context(), "a", alice, many)
	wantCode(t, err, domain.InvalidPosition)
	_, err = w.Resume(t.Context(), "never", alice, nil)
	wantCode(t, err, domain.Unauthenticated)
	_, err = w.Resume(t.Context(), "a", domain.Principal{User: "eve"}, nil)
	wantCode(t, err, domain.Unauthenticated)
}

// Whatever a message meets that is appended while a client resumes, it is in the answer
// or finds the client's rows.
func TestRowsAreReadBeforeLogs(t *testing.T) {
	for _, method := range []string{"Subscriptions", "Subscribed"} {
		w := newWorld(t)
		w.connect("a", alice)
		w.join("a", alice, "goals")
		at := w.say(goals, 1)[0]
		w.subscriptions.then(method, func() error {
			w.say(goals, 1)
			return nil
		})
		got := w.resume("a", alice, map[string]domain.Position{"room:goals": at})
		if want := fmt.Sprintf("room:goals [2] at %s.2", at.Epoch); !strings.Contains(got, want) {
			t.Errorf("after %s: %s, want %s", method, got, want)
		}
	}
	w := newWorld(t)
	w.say(domain.ToEveryone(), 1)
	w.connections.then("Get", func() error {
		w.say(domain.ToEveryone(), 1)
		return nil
	})
	if got := w.resume("a", domain.Principal{}, nil); !strings.HasSuffix(got, ".2") {
		t.Error(got)
	}
}

// A connection with a row that no message follows any more is in no room.
func TestARowAloneMakesNoMember(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	expired := domain.Connection{ID: "a", User: "alice", ExpiresAt: time.Now().Add(-time.Minute)}
	w.join("a", alice, "goals")
	if err := w.subscriptions.Extend(t.Context(), expired, goals); err != nil {
		t.Fatal(err)
	}
	at := w.say(goals, 1)[0]
	if got := w.resume("a", alice, map[string]domain.Position{"room:goals": at}); !strings.HasSuffix(got, "room:goals refused: not_a_member") {
		t.Error(got)
	}
}

// Rows that fan-out has deleted by mistake come back.
func TestRowsComeBack(t *testing.T) {
	w := newWorld(t)
	w.connect("anonymous", domain.Principal{})
	w.connect("a", alice)
	if err := errors.Join(w.connections.Delete(t.Context(), "anonymous"), w.subscriptions.Clear(t.Context(), "a")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.resume("anonymous", domain.Principal{}, nil)
		w.resume("a", alice, nil)
		w.members(domain.ToUser("alice"), "a")
		if c, err := w.connections.Get(t.Context(), "anonymous"); err != nil || c.User != "" || time.Until(c.ExpiresAt) < time.Hour {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

// What a client that resumes has subscribed follows its row.
func TestAResumeThatRacesARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		if err := w.subscriptions.Clear(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		w.tokens["newer"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(10 * time.Minute)}
		w.subscriptions.first("Subscribe", func() error {
			_, err := w.Authenticate(t.Context(), "a", who, "newer")
			return err
		})
		w.resume("a", who, nil)
		time.Sleep(9 * time.Minute) // virtual
		w.members(domain.ToUser("alice"), "a")
	})
}

func TestAResumeThatRacesTheEndOfItsConnection(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	if err := w.subscriptions.Clear(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	w.subscriptions.first("Subscribe", func() error { return w.Disconnect(t.Context(), "a", alice) })
	_, err := w.Resume(t.Context(), "a", alice, nil)
	wantCode(t, err, domain.Unauthenticated)
	w.nothingIsLeft("a")
}

func TestAPlaceInALogWithoutMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.MessageLog = memlog.New(memlog.Options{NewEpoch: epochs()})
		first := w.nothingSince(time.Now())
		from := map[string]domain.Position{"everyone": first}
		w.want(w.resume("a", domain.Principal{}, nil), "everyone is at "+first.String())
		time.Sleep(22 * time.Hour) // virtual
		w.want(w.resume("a", domain.Principal{}, from), "everyone [] at "+w.nothingSince(time.Now()).String())
		w.say(domain.ToEveryone(), 1, 1)
		w.want(w.resume("a", domain.Principal{}, from), "everyone [1 2] at e1.2")
		time.Sleep(24 * time.Hour)
		nothing := w.nothingSince(time.Now())
		w.want(w.resume("a", domain.Principal{}, from), "everyone expired at "+nothing.String())
		from["everyone"] = domain.Position{Epoch: "e1", Seq: 2}
		w.want(w.resume("a", domain.Principal{}, from), "everyone reset at "+nothing.String())
	})
}

// A log that has no room keeps less than a day.
func TestALogThatDroppedItsFirstMessages(t *testing.T) {
	w := newWorld(t)
	w.log.MessageLog = memlog.New(memlog.Options{NewEpoch: epochs(), MaxBytes: 3000})
	from := map[string]domain.Position{"everyone": w.nothingSince(time.Now())}
	at := w.say(domain.ToEveryone(), 1000)
	w.say(domain.ToEveryone(), 1000)
	w.want(w.resume("a", domain.Principal{}, from), "everyone [1 2] at e1.2")
	w.say(domain.ToEveryone(), 1000)
	w.want(w.resume("a", domain.Principal{}, from), "everyone expired at e1.3")
	w.say(domain.ToEveryone(), 1000)
	from["everyone"] = at[0]
	w.want(w.resume("a", domain.Principal{}, from), "everyone expired at e1.4")
}

func TestChannelsTakeTurns(t *testing.T) {
	w := newWorld(t)
	w.log.MessageLog = memlog.New(memlog.Options{NewEpoch: epochs()})
	w.connect("a", alice)
	w.join("a", alice, "goals", "chess")
	e := w.nothingSince(time.Now().Add(-time.Hour))
	w.say(domain.ToEveryone(), 10_000, 10_000, 10_000, 10_000)
	w.say(domain.ToUser("alice"), 1)
	w.say(goals, 10_000, 1)
	w.say(domain.ToRoom("chess"), 50_000)
	named := map[string]domain.Position{"everyone": e, "user": e, "room:goals": e, "room:chess": e}
	w.want(w.resume("a", alice, named),
		"everyone [1 2] at e1.2 of e1.4", "user [1] at e2.1", "room:chess [] at "+e.String()+" of e4.1", "room:goals [1 2] at e3.2")
	named["everyone"] = domain.Position{Epoch: "e1", Seq: 4}
	named["user"], named["room:goals"] = domain.Position{Epoch: "e2", Seq: 1}, domain.Position{Epoch: "e3", Seq: 2}
	w.want(w.resume("a", alice, named), "everyone [] at e1.4", "user [] at e2.1", "room:chess [1] at e4.1", "room:goals [] at e3.2")
}

// Whatever the logs hold and wherever a client is, it gets each message that follows once
// and in order, if it resumes while there is more.
func TestAClientThatResumesMissesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		w.connect("a", alice)
		w.join("a", alice, "goals", "chess")
		channels := []domain.Recipients{domain.ToEveryone(), domain.ToUser("alice"), goals, domain.ToRoom("chess")}
		size := rapid.SampledFrom([]int{1, 500, 5_000, 30_000, 33_000, 90_000})
		positions, next := map[string]domain.Position{}, map[domain.Recipients]int64{}
		last := map[domain.Recipients]int64{}
		for _, to := range channels {
			at := []domain.Position{w.nothingSince(time.Now())}
			at = append(at, w.say(to, rapid.SliceOfN(size, 0, 30).Draw(r, "sizes")...)...)
			from := rapid.IntRange(0, len(at)-1).Draw(r, "from")
			positions[domain.ChannelName(to)], next[to], last[to] = at[from], int64(from)+1, int64(len(at))-1
		}
		for more := true; more; {
			all, err := w.Resume(t.Context(), "a", alice, positions)
			if err != nil {
				r.Fatal(err)
			}
			more = false
			messages, bytes := 0, 0
			for _, one := range all {
				for _, m := range one.Messages {
					if m.Seq != next[one.To] {
						r.Fatalf("%s has %d, want %d", one.To, m.Seq, next[one.To])
					}
					next[one.To]++
					messages++
					bytes += len(m.AppendJSON(nil)) + 1
				}
				if one.Lost != "" || one.Refused != nil || one.More != (next[one.To] <= last[one.To]) || one.More && one.End.Seq != last[one.To] {
					r.Fatalf("%s of %d: %+v", one.To, last[one.To], summary(one))
				}
				more = more || one.More
				positions[domain.ChannelName(one.To)] = one.Position
			}
			if more && messages == 0 || bytes > 32<<10 && messages > 1 {
				r.Fatalf("%d messages of %d bytes, more: %v", messages, bytes, more)
			}
		}
		for to, n := range next {
			if n != last[to]+1 {
				r.Fatalf("%s ended before %d of %d", to, n, last[to])
			}
		}
	})
}

// summary is what there is to say without the messages.
func summary(one session.Resumed) session.Resumed {
	one.Messages = nil
	return one
}
