package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// messageLog lets a test act just before and after the calls that read.
type messageLog struct {
	ports.MessageLog
	hooks
}

func (l *messageLog) End(ctx context.Context, to domain.Recipients) (p domain.Position, err error) {
	err = l.around("End", func() error {
		p, err = l.MessageLog.End(ctx, to)
		return err
	})
	return p, err
}

func (l *messageLog) After(ctx context.Context, to domain.Recipients, from domain.Position, size int) (s ports.Stretch, err error) {
	err = l.around("After", func() error {
		s, err = l.MessageLog.After(ctx, to, from, size)
		return err
	})
	return s, err
}

func (l *messageLog) Before(ctx context.Context, to domain.Recipients, from domain.Position, limit, size int) (s ports.Stretch, err error) {
	err = l.around("Before", func() error {
		s, err = l.MessageLog.Before(ctx, to, from, limit, size)
		return err
	})
	return s, err
}

// say appends messages with contents of so many bytes, and returns their positions.
func (w *world) say(to domain.Recipients, sizes ...int) []domain.Position {
	w.Helper()
	var messages []domain.Message
	for _, size := range sizes {
		w.said++
		messages = append(messages, domain.Message{
			ID: domain.MessageID(fmt.Sprintf("01K4ZQ%020d", w.said)), SentAt: time.Now(), Content: domain.Content(strings.Repeat("1", size)),
		})
	}
	entries, err := w.log.Append(w.Context(), to, messages, false)
	if err != nil {
		w.Fatal(err)
	}
	var positions []domain.Position
	for _, e := range entries {
		positions = append(positions, e.Position)
	}
	return positions
}

// numbers returns those of messages, such as "1 2 3".
func numbers(messages []domain.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, fmt.Sprint(m.Seq))
	}
	return strings.Join(all, " ")
}

func TestTheLatestMessagesPageByPage(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.join("a", alice, "goals")
	at := w.say(goals, 1, 1, 1, 1, 1)
	for _, test := range []struct {
		before   domain.Position
		limit    int
		numbers  string
		position domain.Position
		more     bool
	}{
		{domain.Position{}, 2, "4 5", at[4], true},
		{domain.Position{}, 5, "1 2 3 4 5", at[4], false},
		{at[3], 2, "2 3", at[2], true},
		{at[1], 100, "1", at[0], false},
		{at[0], 100, "", at[0], false},
		{domain.Position{Epoch: "another", Seq: 3}, 100, "", domain.Position{Epoch: "another", Seq: 3}, false},
	} {
		page, err := w.Load(t.Context(), "a", alice, goals, test.before, test.limit)
		if err != nil || numbers(page.Messages) != test.numbers || page.Position != test.position || page.More != test.more {
			t.Errorf("%d before %q: %s at %s, more: %v, %v", test.limit, test.before, numbers(page.Messages), page.Position, page.More, err)
		}
	}
	w.log.first("Before", func() error { return errors.New("a log knows no such position") })
	nothing := w.nothingSince(time.Now())
	page, err := w.Load(t.Context(), "a", alice, goals, nothing, 1)
	if err != nil || len(page.Messages) > 0 || page.Position != nothing || page.More {
		t.Errorf("before nothing: %+v, %v", page, err)
	}
}

func TestMessagesToEveryoneAreForAnyone(t *testing.T) {
	w := newWorld(t)
	w.say(domain.ToEveryone(), 1)
	page, err := w.Load(t.Context(), "anonymous", domain.Principal{}, domain.ToEveryone(), domain.Position{}, 1)
	if err != nil || numbers(page.Messages) != "1" || page.More {
		t.Errorf("to everyone: %+v, %v", page, err)
	}
}

func TestAPageOfALogWithoutMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		page, err := w.Load(t.Context(), "a", domain.Principal{}, domain.ToEveryone(), domain.Position{}, 1)
		if want := w.nothingSince(time.Now()); err != nil || len(page.Messages) > 0 || page.More || page.Position != want {
			t.Errorf("%+v, %v; want a page at %s", page, err, want)
		}
	})
}

// The newest messages that fit come, and at least one.
func TestAPageOfLargeMessages(t *testing.T) {
	w := newWorld(t)
	w.say(domain.ToEveryone(), 90<<10, 20<<10, 10<<10, 1, 40<<10)
	last := domain.Position{}
	for i, want := range []string{"5", "2 3 4", "1"} {
		page, err := w.Load(t.Context(), "a", domain.Principal{}, domain.ToEveryone(), last, 100)
		if err != nil || numbers(page.Messages) != want || page.More != (i < 2) {
			t.Fatalf("page %d: %s, more: %v, %v; want %s", i, numbers(page.Messages), page.More, err, want)
		}
		last = domain.Position{Epoch: page.Position.Epoch, Seq: page.Messages[0].Seq}
	}
}

func TestWhatLoadRefuses(t *testing.T) {
	w := newWorld(t)
	scoped := domain.Principal{User: "bob", Scope: domain.NewScope("room:chess")}
	w.connect("a", alice)
	w.connect("b", scoped)
	for name, test := range map[string]struct {
		id    domain.ConnectionID
		who   domain.Principal
		to    domain.Recipients
		limit int
		want  domain.Code
	}{
		"a bad room":        {"a", alice, domain.ToRoom("a b"), 1, domain.InvalidRoom},
		"no one":            {"a", alice, domain.Recipients{}, 1, domain.InvalidRoom},
		"a user":            {"a", alice, domain.ToUser("bob"), 1, domain.InvalidRoom},
		"none":              {"a", alice, goals, 0, domain.InvalidPage},
		"too many":          {"a", alice, goals, 101, domain.InvalidPage},
		"not a member":      {"a", alice, goals, 1, domain.NotAMember},
		"outside the scope": {"b", scoped, goals, 1, domain.Forbidden},
		"no user":           {"c", domain.Principal{}, goals, 1, domain.Unauthenticated},
		"no row":            {"never", alice, domain.ToEveryone(), 1, domain.Unauthenticated},
	} {
		if _, err := w.Load(t.Context(), test.id, test.who, test.to, domain.Position{}, test.limit); err == nil {
			t.Errorf("%s: accepted", name)
		} else if wantCode(t, err, test.want); t.Failed() {
			t.Fatal(name)
		}
	}
}

// What is wrong with a request is told whether or not messages are kept.
func TestWithoutALog(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.History.Log = nil
	for limit, want := range map[int]domain.Code{0: domain.InvalidPage, 1: domain.NoHistory} {
		_, err := w.Load(t.Context(), "a", alice, goals, domain.Position{}, limit)
		wantCode(t, err, want)
	}
	for channel, want := range map[string]domain.Code{"bob": domain.InvalidPosition, "everyone": domain.NoHistory} {
		_, err := w.Resume(t.Context(), "a", alice, map[string]domain.Position{channel: {Epoch: "a", Seq: 1}})
		wantCode(t, err, want)
	}
	if end, err := w.End(t.Context(), goals); end != (domain.Position{}) || err != nil {
		t.Errorf("the end is %q, %v", end, err)
	}
}

func TestTheEndOfALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if end, err := w.End(t.Context(), goals); end != w.nothingSince(time.Now()) || err != nil {
			t.Errorf("the end is %q, %v; want nothing since %v", end, err, time.Now())
		}
		at := w.say(goals, 1, 1)
		if end, err := w.End(t.Context(), goals); end != at[1] || err != nil {
			t.Errorf("the end is %q, %v; want %q", end, err, at[1])
		}
	})
}

func TestALogThatFailsIsUnavailable(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.join("a", alice, "goals")
	at := w.say(goals, 20<<10, 20<<10)
	down := func() error { return errors.New("down") }
	for _, method := range []string{"After", "End"} {
		w.log.then(method, down)
		_, err := w.Resume(t.Context(), "a", alice, map[string]domain.Position{"room:goals": at[0]})
		wantCode(t, err, domain.Unavailable)
	}
	w.log.then("Before", down)
	_, err := w.Load(t.Context(), "a", alice, goals, domain.Position{}, 1)
	wantCode(t, err, domain.Unavailable)
	w.log.then("End", down)
	_, err = w.End(t.Context(), goals)
	wantCode(t, err, domain.Unavailable)
}

func TestATableThatFailsWhileAClientResumes(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.join("a", alice, "goals")
	down := func() error { return errors.New("down") }
	for name, fail := range map[string]func(){
		"the row":           func() { w.connections.then("Get", down) },
		"the subscriptions": func() { w.subscriptions.then("Subscriptions", down) },
		"that to the user":  func() { w.subscriptions.then("Subscribed", down) },
		"the place in the room": func() {
			w.subscriptions.then("Subscriptions", func() error { w.subscriptions.then("Subscribed", down); return nil })
		},
	} {
		fail()
		if _, err := w.Resume(t.Context(), "a", alice, nil); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			wantCode(t, err, domain.Unavailable)
		}
	}
	w.connections.first("Get", down)
	_, err := w.Resume(t.Context(), "anonymous", domain.Principal{}, nil)
	wantCode(t, err, domain.Unavailable)
}
