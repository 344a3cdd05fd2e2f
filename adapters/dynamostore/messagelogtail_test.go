package dynamostore_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
)

// Clients that come back together ask for the same messages: the first request reads them,
// and each other only what is new.
func TestManyWhoMissedTheSame(t *testing.T) {
	l := newLogTable(t)
	messages := l.fill(100)
	log := l.behind(nil)
	from := l.position(1)
	for i := range 5 {
		l.after(log, from, messages[1:]...)
		want := "Query"
		if i == 0 {
			want = "Query Query" // for the position, and for what follows it
		}
		if got := strings.Join(l.operations(), " "); !strings.HasPrefix(got, want) || i > 0 && got != want {
			t.Errorf("request %d is %s, want %s", i, got, want)
		}
	}
	messages = append(messages, l.fill(2)...)
	l.after(log, from, messages[1:]...)
	if end, err := log.End(t.Context(), goals); err != nil || end.Seq != 102 {
		t.Errorf("the end is %q, %v", end, err)
	}
	if got := strings.Join(l.operations(), " "); got != "Query Query" {
		t.Errorf("what is new, and the end, take %s", got)
	}
}

// What is remembered of a log reaches back from its end, as far as anyone has asked.
func TestTheEndFirstAndThenTheRest(t *testing.T) {
	l := newLogTable(t)
	messages := l.fill(30)
	log := l.behind(nil)
	from := l.position(1)
	for range 2 {
		if end, err := log.End(t.Context(), goals); err != nil || end.Seq != 30 {
			t.Fatalf("the end is %q, %v", end, err)
		}
		l.after(log, from, messages[1:]...)
	}
	l.operations()
	l.after(log, from, messages[1:]...)
	l.after(log, l.position(10), messages[10:]...)
	if got := strings.Join(l.operations(), " "); got != "Query Query" {
		t.Errorf("two requests are %s", got)
	}
}

// A large log, many logs and a log that starts over.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	l := newLogTable(t)
	l.opts.PageSize = 4
	log := l.behind(nil)
	large := func(to domain.Recipients, n int) {
		for range n {
			m := l.messages(1)[0]
			m.Content = domain.Content(`"` + strings.Repeat("x", 90<<10) + `"`)
			if _, err := log.Append(t.Context(), to, []domain.Message{m}, false); err != nil {
				t.Fatal(err)
			}
		}
		place, err := log.End(t.Context(), domain.ToRoom("quiet"))
		if err != nil {
			t.Fatal(err)
		}
		all, err := log.After(t.Context(), to, place, 100<<20)
		if err != nil || len(all.Messages) != n {
			t.Fatalf("%d messages, %v", len(all.Messages), err)
		}
	}
	for i := range 3 {
		large(domain.ToRoom(fmt.Sprint(i)), 13)
	}
	if bytes, logs := log.Remembered(); logs != 3 || bytes < 3<<20 || bytes > 3<<20+3*100<<10 {
		t.Errorf("%d bytes of %d logs", bytes, logs)
	}
}

// Those who read while others append get whole stretches.
func TestReadersBesideAnAppender(t *testing.T) {
	l := newLogTable(t)
	l.fill(1)
	log := l.behind(nil)
	from := l.position(1)
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for !done.Load() {
				s, err := log.After(t.Context(), goals, from, 1<<20)
				for i, m := range s.Messages {
					if m.Seq != int64(i+2) {
						t.Errorf("message %d has number %d", i+2, m.Seq)
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	l.fill(40)
	done.Store(true)
	readers.Wait()
}

// position returns that of a message of the log.
func (l *logTable) position(seq int64) domain.Position {
	l.Helper()
	end, err := l.open().End(l.Context(), goals)
	if err != nil {
		l.Fatal(err)
	}
	return domain.Position{Epoch: end.Epoch, Seq: seq}
}

// after checks what follows a position.
func (l *logTable) after(log *dynamostore.MessageLog, from domain.Position, want ...domain.Message) {
	l.Helper()
	s, err := log.After(l.Context(), goals, from, 1<<20)
	if err != nil || len(s.Messages) != len(want) || s.More {
		l.Fatalf("after %q: %d messages, more: %v, %v; want %d", from, len(s.Messages), s.More, err, len(want))
	}
	for i, m := range s.Messages {
		if m.ID != want[i].ID {
			l.Fatalf("message %d is %s, want %s", i, m.ID, want[i].ID)
		}
	}
}
