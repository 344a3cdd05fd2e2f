package memlog

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestMessageLog(t *testing.T) {
	porttest.TestMessageLog(t, porttest.LogHarness{
		NewLog: func(_ *testing.T, retention time.Duration) porttest.LogUnderTest {
			log := New(Options{Retention: retention})
			return porttest.LogUnderTest{Open: func() ports.MessageLog { return log }}
		},
		Bubble: true,
	})
}

func TestConversations(t *testing.T) {
	porttest.TestConversations(t, porttest.ConversationsHarness{
		New: func(_ *testing.T, retention time.Duration) porttest.ConversationsUnderTest {
			log := New(Options{Retention: retention})
			return porttest.ConversationsUnderTest{Open: func() ports.Conversations { return log.Conversations() }}
		},
		Bubble: true,
	})
}

var made int

// message returns a new message with content of so many bytes.
func message(size int) domain.Message {
	made++
	return domain.Message{
		ID: domain.MessageID(fmt.Sprintf("01J%023d", made)), SentAt: time.Now(),
		Content: domain.Content(strings.Repeat("1", size)),
	}
}

// add appends messages of so many bytes and returns their positions.
func add(tb testing.TB, log *Log, to domain.Recipients, sizes ...int) []domain.Position {
	tb.Helper()
	var messages []domain.Message
	for _, size := range sizes {
		messages = append(messages, message(size))
	}
	entries, err := log.Append(tb.Context(), to, messages, false)
	if err != nil {
		tb.Fatal(err)
	}
	var positions []domain.Position
	for _, e := range entries {
		positions = append(positions, e.Position)
	}
	return positions
}

// The oldest of all messages go first. The channel goes on where it was, and starts over
// when none is left.
func TestMaxBytesDropsTheOldest(t *testing.T) {
	epochs := 0
	log := New(Options{MaxBytes: 10_000, NewEpoch: func() domain.Epoch {
		epochs++
		return domain.Epoch(fmt.Sprint("epoch", epochs))
	}})
	first, second := domain.ToRoom("first"), domain.ToRoom("second")
	for range 3 {
		add(t, log, first, 2000)
	}
	add(t, log, second, 2000)
	at := add(t, log, first, 2000)
	if want := (domain.Position{Epoch: "epoch1", Seq: 4}); at[0] != want {
		t.Errorf("the position is %q, want %q", at[0], want)
	}
	if _, err := log.After(t.Context(), first, domain.Position{Epoch: "epoch1", Seq: 1}, 1); err != nil {
		t.Errorf("after the last that was dropped: %v", err)
	}
	add(t, log, first, 2000)
	if _, err := log.After(t.Context(), first, domain.Position{Epoch: "epoch1", Seq: 1}, 1); !errors.Is(err, ports.ErrExpired) {
		t.Errorf("after one that was dropped: %v, want ErrExpired", err)
	}
	add(t, log, first, 2000, 2000)
	if end, err := log.End(t.Context(), second); end.Seq != 0 || err != nil {
		t.Errorf("the other channel ends at %q, %v", end, err)
	}
	if at, want := add(t, log, second, 1)[0], (domain.Position{Epoch: "epoch3", Seq: 1}); at != want {
		t.Errorf("the other channel goes on at %q, want %q", at, want)
	}
}

// One call's messages are kept though they are larger than all that may be kept.
func TestMaxBytesBelowAnEnvelope(t *testing.T) {
	log, to := New(Options{MaxBytes: 1000}), domain.ToEveryone()
	for range 3 {
		at := add(t, log, to, 600, 600, 600)
		if end, err := log.End(t.Context(), to); end != at[2] || err != nil {
			t.Errorf("the log ends at %q, %v; want %q", end, err, at[2])
		}
		if s, err := log.Before(t.Context(), to, domain.Position{}, 10, 10_000); len(s.Messages) != 3 || err != nil {
			t.Errorf("%d messages are kept, %v", len(s.Messages), err)
		}
	}
}

// What a message that was dropped took is free: nothing refers to it.
func TestDroppedMessagesLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := New(Options{Retention: time.Minute})
		for i := range 1000 {
			add(t, log, domain.ToRoom(fmt.Sprint(i)), 10, 20, 30)
		}
		time.Sleep(time.Minute)
		if _, err := log.End(t.Context(), domain.ToEveryone()); err != nil { // any call drops them
			t.Fatal(err)
		}
		if len(log.channels)+len(log.known)+len(log.oldest.items)+cap(log.oldest.items)+log.bytes != 0 {
			t.Errorf("%d channels, %d ids, %d of %d marks and %d bytes are left",
				len(log.channels), len(log.known), len(log.oldest.items), cap(log.oldest.items), log.bytes)
		}
	})
}

// The bound is about what the process needs.
func TestMaxBytesIsAboutTheMemory(t *testing.T) {
	const limit = 8 << 20
	for _, size := range []int{1, 100, 10_000} {
		log, before := New(Options{MaxBytes: limit}), heap()
		for i := range 3 * limit / (size + overhead) {
			add(t, log, domain.ToRoom(fmt.Sprint(i%1000)), size)
		}
		if got := heap() - before; got > limit*3/2 {
			t.Errorf("messages of %d bytes: %d bytes are in use, want about %d", size, got, limit)
		}
		if log.bytes > limit || log.bytes < limit*9/10 {
			t.Errorf("%d bytes are counted, want %d", log.bytes, limit)
		}
		runtime.KeepAlive(log)
	}
}

func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func TestRandomEpochs(t *testing.T) {
	seen := map[domain.Epoch]bool{}
	for range 1000 {
		e := randomEpoch()
		if _, _, nothing := (domain.Position{Epoch: e}).Nothing(); len(e) != 8 || !e.Valid() || seen[e] || nothing {
			t.Fatalf("the epoch %q", e)
		}
		seen[e] = true
	}
}

// An array that once held much does not stay for the little that is left.
func TestFifoShrinks(t *testing.T) {
	var f fifo[int]
	for i := range 10_000 {
		f.push(i)
	}
	for i := range 9990 {
		if got := f.pop(); got != i {
			t.Fatalf("got %d, want %d", got, i)
		}
		if room := f.gone + cap(f.items); i > 8000 && room > 3*len(f.items)+16 {
			t.Fatalf("%d places for %d items", room, len(f.items))
		}
	}
	for i := range 100_000 {
		f.push(10_000 + i)
		if got := f.pop(); got != 9990+i {
			t.Fatalf("got %d, want %d", got, 9990+i)
		}
	}
	if room := f.gone + cap(f.items); room > 100 {
		t.Errorf("%d places for %d items", room, len(f.items))
	}
}

// What was dropped is not known any more, neither a first try nor its ref. Refs count as
// memory.
func TestRefsOfWhatWasDropped(t *testing.T) {
	log, refs := New(Options{MaxBytes: 10_000}), map[string]bool{}
	for i := range 100 {
		m := message(1)
		m.Sender, m.Ref, m.Again = "alice", fmt.Sprint(strings.Repeat("r", domain.MaxRef-3), i/2), true
		entries, err := log.Append(t.Context(), domain.ToEveryone(), []domain.Message{m}, false)
		if err != nil || (entries[0].RepeatOf != "") != refs[m.Ref] {
			t.Fatalf("%d: %+v, %v", i, entries, err)
		}
		refs[m.Ref] = true
	}
	const most = 10_000 / (overhead + 2*(domain.MaxRef-3))
	if n := len(log.tried); n > most || n != len(log.known) {
		t.Errorf("%d refs of %d messages are known, want at most %d", n, len(log.known), most)
	}
	add(t, log, domain.ToEveryone(), 10_000)
	m := message(1)
	m.Sender, m.Ref, m.Again = "alice", fmt.Sprint(strings.Repeat("r", domain.MaxRef-3), 49), true
	if entries, err := log.Append(t.Context(), domain.ToEveryone(), []domain.Message{m}, false); err != nil || entries[0].RepeatOf != "" {
		t.Errorf("of one that was dropped: %+v, %v", entries, err)
	}
}
