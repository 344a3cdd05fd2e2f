package memlog

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// put puts messages from alice to bob with content of so many bytes.
func put(tb testing.TB, log *Log, sizes ...int) (messages []domain.Message) {
	tb.Helper()
	for _, size := range sizes {
		m := message(size)
		m.Sender, m.To = "alice", "bob"
		messages = append(messages, m)
	}
	if err := log.Conversations().Put(tb.Context(), messages); err != nil {
		tb.Fatal(err)
	}
	return messages
}

// kept returns how many messages of alice and bob there are.
func kept(tb testing.TB, log *Log) int {
	tb.Helper()
	messages, _, err := log.Conversations().Before(tb.Context(), domain.ConversationOf("alice", "bob"), "", 1000, 1<<30)
	if err != nil {
		tb.Fatal(err)
	}
	return len(messages)
}

// Channels and conversations have one bound: the oldest go first, whatever they are in.
// What a conversation loses, no channel has.
func TestConversationsShareTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, to := New(Options{MaxBytes: 10_000}), domain.ToUser("bob")
		start, err := log.End(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		put(t, log, 2000, 2000)
		add(t, log, to, 2000)
		put(t, log, 2000)
		if n := kept(t, log); n != 3 {
			t.Errorf("%d messages are kept of 3", n)
		}
		time.Sleep(time.Second)
		add(t, log, to, 2000)
		if n := kept(t, log); n != 2 {
			t.Errorf("above the bound %d messages are kept, want 2", n)
		}
		if s, err := log.After(t.Context(), to, start, 1<<20); err != nil || len(s.Messages) != 2 {
			t.Errorf("the channel has %d messages, %v", len(s.Messages), err)
		}
		put(t, log, 2000, 2000)
		if _, err := log.After(t.Context(), to, start, 1); !errors.Is(err, ports.ErrExpired) {
			t.Errorf("the channel has lost a message: %v", err)
		}
	})
}

func TestOneCallIsKeptInAConversation(t *testing.T) {
	log := New(Options{MaxBytes: 1000})
	for range 3 {
		put(t, log, 600, 600, 600)
		if n := kept(t, log); n != 3 {
			t.Errorf("%d messages are kept, want 3", n)
		}
	}
}

func TestDroppedConversationsLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := New(Options{Retention: time.Minute})
		some := put(t, log, 10, 20, 30)
		put(t, log, 40)
		if err := log.Conversations().Put(t.Context(), some); err != nil { // that are kept
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if n := kept(t, log); n > 0 || len(log.conversations)+len(log.oldest.items)+log.bytes != 0 {
			t.Errorf("%d messages, %d conversations, %d marks and %d bytes are left", n, len(log.conversations), len(log.oldest.items), log.bytes)
		}
	})
}
