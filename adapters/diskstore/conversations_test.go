package diskstore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
)

var withBob = domain.ConversationOf("alice", "bob")

// converse puts the messages with those numbers, as alice's to bob.
func converse(tb testing.TB, s *Store, numbers ...int) {
	tb.Helper()
	var messages []domain.Message
	for _, n := range numbers {
		m := message(n)
		m.To = "bob"
		messages = append(messages, m)
	}
	if err := s.Conversations().Put(tb.Context(), messages); err != nil {
		tb.Fatal(err)
	}
}

// wantSaid checks the numbers of the messages of alice and bob, in pages of several sizes.
func wantSaid(tb testing.TB, s *Store, numbers ...int) {
	tb.Helper()
	for _, limit := range []int{1, 3, 100} {
		var all []string
		for id, more := domain.MessageID(""), true; more; {
			page, older, err := s.Conversations().Before(tb.Context(), withBob, id, limit, unlimited)
			if err != nil {
				tb.Fatal(err)
			}
			var some []string
			for _, m := range page {
				some = append(some, string(m.Content))
			}
			if all, more = slices.Concat(some, all), older; more {
				id = page[0].ID
			}
		}
		if !slices.Equal(all, want(numbers...)) {
			tb.Errorf("in pages of %d: %.20q, want %d", limit, all, numbers)
		}
	}
}

// A message is found whatever day it was put on, once, and after each restart.
func TestAConversationOverDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 10 * 24 * time.Hour})
		for _, numbers := range [][]int{{0, 1, 7}, {2, 3}, nil, {0, 6, 3}, {4, 5, 8, 1}} {
			if len(numbers) > 0 {
				converse(t, s, numbers...)
			}
			add(t, s, goals, 0)
			s = reopen(t, s)
			time.Sleep(24 * time.Hour)
		}
		wantSaid(t, s, 0, 1, 2, 3, 4, 5, 6, 7, 8)
	})
}

// What has expired goes with its file, and is not served before.
func TestAConversationLosesItsOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 2 * 24 * time.Hour})
		converse(t, s, 0, 1, 2)
		time.Sleep(30 * time.Hour)
		converse(t, s, 3, 1)
		wantSaid(t, s, 0, 1, 2, 3)
		time.Sleep(20 * time.Hour)
		wantSaid(t, s, 1, 3)
		if _, err := os.Stat(filepath.Join(s.dir, fileName("2000-01-01"))); err != nil {
			t.Error(err) // other messages of that day may not have expired
		}
		time.Sleep(24*time.Hour + tidyEvery)
		wantSaid(t, s, 1, 3)
		if _, err := os.Stat(filepath.Join(s.dir, fileName("2000-01-01"))); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file of the first day is left: %v", err)
		}
	})
}

// A damaged message fails who meets it, and at a start its file is set aside.
func TestADamagedConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 10 * 24 * time.Hour})
		converse(t, s, 0, 1)
		time.Sleep(24 * time.Hour)
		converse(t, s, 2, 3)
		time.Sleep(24 * time.Hour)
		converse(t, s, 4)
		name := s.name
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(s.dir, fileName("2000-01-02"))
		damageSaid(t, path, message(2))
		f, err := bbolt.Open(path, 0o600, boltOptions(true))
		if err != nil {
			t.Fatal(err)
		}
		p := page{store: s, now: time.Now(), key: conversationKey(withBob), limit: 10, size: unlimited}
		if err := f.View(p.read); !errors.Is(err, errDamaged) {
			t.Errorf("the read of a damaged message: %v", err)
		}
		p.messages, p.limit = nil, 0
		if err := f.View(p.read); err != nil || len(p.messages) != 1 {
			t.Errorf("the read of the one after it: %d messages, %v", len(p.messages), err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, s.dir, s.opts)
		if damaged := s.Found().Damaged; len(damaged) != 1 || s.name == name {
			t.Errorf("%q were set aside; the name is %s", damaged, s.name)
		}
		wantSaid(t, s, 0, 1, 4)
	})
}

// damageSaid flips a bit in the content of a message in a file.
func damageSaid(t *testing.T, path string, m domain.Message) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(content, m.Content)
	if at < 0 {
		t.Fatal("the message is not in the file")
	}
	content[at+1] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A value that is whole, but no message, is damage too.
func TestAConversationWithSomethingElse(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	converse(t, s, 0)
	wrong := &operation{apply: func(b *batch) error {
		return b.put(conversationBucket, append(conversationKey(withBob), message(1).ID...), []byte("1"))
	}}
	if err := s.do(t.Context(), wrong); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Conversations().Before(t.Context(), withBob, "", 9, 9); !errors.Is(err, errDamaged) {
		t.Errorf("Before: %v", err)
	}
	if damaged := reopen(t, s).Found().Damaged; len(damaged) != 1 {
		t.Errorf("%q were set aside", damaged)
	}
}

// Messages of a conversation count once: in the logs.
func TestFoundCountsNoConversation(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, domain.ToUser("bob"), 1)
	converse(t, s, 1)
	if found := reopen(t, s).Found(); found.Messages != 1 || len(found.Damaged) > 0 {
		t.Errorf("found %+v", found)
	}
}

func TestAConversationAfterClose(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	converse(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Conversations().Before(t.Context(), withBob, "", 1, 1)
	if put := s.Conversations().Put(t.Context(), []domain.Message{message(2)}); !errors.Is(err, errClosed) || !errors.Is(put, errClosed) {
		t.Errorf("Before: %v; Put: %v", err, put)
	}
}
