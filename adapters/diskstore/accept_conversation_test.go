package diskstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// toBob returns a message of alice's to bob, as a job carries it.
func toBob(n int) domain.Message {
	m := sent(n)
	m.To = "bob"
	return m
}

// jobFor returns the body of a job with messages to a user, as they are accepted.
func jobFor(user string, messages ...domain.Message) string {
	return domain.Job{To: domain.ToUser(user), Echo: true, Messages: messages}.Encode()
}

// putAgain puts messages, and returns how often that has waited for the disk.
func putAgain(t *testing.T, s *Store, messages ...domain.Message) int64 {
	t.Helper()
	before := s.Syncs()
	if err := s.Conversations().Put(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	return s.Syncs() - before
}

// Whoever does a job that was kept finds its messages in their conversation, and waits for
// no sync; so does the next start.
func TestWhatIsKeptIsInTheConversation(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	before := s.Syncs()
	keep(t, s, jobFor("bob", toBob(1), toBob(2)), jobFor("bob", toBob(3)))
	if syncs := s.Syncs() - before; syncs != 2 {
		t.Errorf("%d syncs for one transaction", syncs)
	}
	for range 2 {
		wantSaid(t, s, 1, 2, 3)
		if syncs := putAgain(t, s, toBob(1), toBob(2), toBob(3)); syncs > 0 {
			t.Errorf("%d syncs for what is there", syncs)
		}
		s = reopen(t, s)
	}
	if syncs := putAgain(t, s, toBob(3), toBob(4)); syncs == 0 {
		t.Error("no sync for what is not there")
	}
	wantSaid(t, s, 1, 2, 3, 4)
}

// What is in the log alone, since an earlier version kept it, is put by whoever does its job.
func TestWhatIsOnlyInTheLogIsPut(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	if _, err := s.Append(t.Context(), domain.ToUser("bob"), []domain.Message{toBob(1)}, false); err != nil {
		t.Fatal(err)
	}
	wantSaid(t, s)
	if syncs := putAgain(t, s, toBob(1)); syncs == 0 {
		t.Error("no sync")
	}
	wantSaid(t, s, 1)
}

// A message to oneself is in the conversation with oneself, once.
func TestWhatIsKeptForOneself(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	note := sent(1)
	note.To = note.Sender
	keep(t, s, jobFor(note.To, note), jobFor(note.To, note))
	if syncs := putAgain(t, s, note); syncs > 0 {
		t.Errorf("%d syncs for what is there", syncs)
	}
	page, more, err := s.Conversations().Before(t.Context(), note.Conversation(), "", 9, unlimited)
	if err != nil || more || len(page) != 1 || page[0].ID != note.ID {
		t.Errorf("%v, more: %v, %v", page, more, err)
	}
}

// Only what a user receives is in a conversation, and only what a log takes.
func TestWhatIsKeptAndInNoConversation(t *testing.T) {
	large, numbered := toBob(2), toBob(3)
	large.Content = domain.Content(`"` + strings.Repeat("x", domain.MaxLogged) + `"`)
	numbered.Seq = 7
	s := open(t, t.TempDir(), Options{})
	keep(t, s, jobOf(domain.ToEveryone(), 1), jobOf(goals, 1), jobFor("bob", large),
		domain.Job{To: domain.ToUser("bob"), Epoch: "k3", Messages: []domain.Message{numbered}}.Encode(),
		domain.Job{To: domain.ToUser("alice"), Messages: []domain.Message{toBob(4)}}.Encode()) // the echo of a job
	err := s.newest().db.View(func(tx *bbolt.Tx) error {
		if key, _ := tx.Bucket(conversationBucket).Cursor().First(); key != nil {
			t.Errorf("there is %q", key)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A repeat is in the log and in the conversation as the message that came first, whether
// that was kept before or at the same time.
func TestARepeatIsNotInTheConversation(t *testing.T) {
	first, repeat := toBob(1), toBob(2)
	first.Ref, repeat.Ref, repeat.Again = "r", "r", true
	for name, jobs := range map[string][][]string{
		"before":           {{jobFor("bob", first)}, {jobFor("bob", repeat)}},
		"at the same time": {{jobFor("bob", first), jobFor("bob", repeat)}},
		"in one job":       {{jobFor("bob", first, repeat)}},
	} {
		s := open(t, t.TempDir(), Options{})
		for _, some := range jobs {
			keep(t, s, some...)
		}
		wantSaid(t, s, 1)
		at, err := s.Append(t.Context(), domain.ToUser("bob"), []domain.Message{repeat}, true)
		if err != nil || at[0] != (ports.Entry{RepeatOf: first.ID}) {
			t.Errorf("%s: %+v, %v", name, at, err)
		}
	}
}

// What was kept just before midnight is put after it into the file of the new day, and read
// once. Then it is known.
func TestAConversationAtMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		time.Sleep(24*time.Hour - time.Second)
		keep(t, s, jobFor("bob", toBob(1), toBob(2)))
		messages := []domain.Message{toBob(1), toBob(2)}
		time.Sleep(2 * time.Second)
		add(t, s, domain.ToEveryone(), 3) // begins the new file
		wantSaid(t, s, 1, 2)
		for _, again := range []bool{false, true} {
			if syncs := putAgain(t, s, messages...); (syncs == 0) != again || s.newestName() != "log-2000-01-02.db" {
				t.Errorf("again %v: %d syncs, the file is %s", again, syncs, s.newestName())
			}
			wantSaid(t, s, 1, 2)
		}
		wantSaid(t, reopen(t, s), 1, 2)
	})
}

// What could not be written is in no conversation, then and later.
func TestWhatIsNotKeptIsNotInTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		s.newest().db.MaxSize = 64 << 10
		large := toBob(2)
		large.Content = domain.Content(`"` + strings.Repeat("x", 90_000) + `"`)
		body := jobFor("bob", toBob(1), large)
		if err := s.Journal("jobs").Keep(t.Context(), queued(body), func([]uint64) { t.Error("kept") }); err == nil {
			t.Error("no error")
		}
		wantSaid(t, s)
		s.newest().db.MaxSize = 0
		time.Sleep(restAfterFailure)
		keep(t, s, jobFor("bob", toBob(3)))
		s = reopen(t, s)
		wantSaid(t, s, 3)
		if found := s.Found(); found.Jobs != 1 || found.Messages != 2 { // of bob and alice
			t.Errorf("found %+v", found)
		}
	})
}

// A reader sees a transaction before the disk has it, and what has expired until its file
// goes: neither counts.
func TestAPutFindsOnlyWhatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: time.Hour})
		keep(t, s, jobFor("bob", toBob(1)))
		m := toBob(1)
		s.newest().synced.Add(-1)
		if syncs := putAgain(t, s, m); syncs == 0 {
			t.Error("no sync for what may not be on disk")
		}
		time.Sleep(time.Hour)
		wantSaid(t, s)
		if syncs := putAgain(t, s, m); syncs == 0 {
			t.Error("no sync for what has expired")
		}
		page, _, err := s.Conversations().Before(t.Context(), withBob, "", 9, unlimited)
		if err != nil || len(page) != 1 || !slices.Equal(page[0].Content, m.Content) {
			t.Errorf("%v, %v", page, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Conversations().Put(ctx, []domain.Message{m}); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of the context: %v", err)
		}
	})
}
