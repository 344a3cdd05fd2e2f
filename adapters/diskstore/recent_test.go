package diskstore

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// addSizes appends messages with content of so many bytes, and returns the position before them.
func addSizes(t *testing.T, s *Store, to domain.Recipients, sizes ...int) domain.Position {
	t.Helper()
	var messages []domain.Message
	for i, size := range sizes {
		messages = append(messages, domain.Message{
			ID: domain.MessageID(fmt.Sprintf("01J%023d", time.Now().UnixNano()%1e12+int64(i))), SentAt: time.Now(),
			Content: domain.Content(strings.Repeat("1", size)),
		})
	}
	at, err := s.Append(t.Context(), to, messages, false)
	if err != nil {
		t.Fatal(err)
	}
	return domain.Position{Epoch: at[0].Epoch, Seq: at[0].Seq - 1}
}

func after(t *testing.T, s *Store, to domain.Recipients, from domain.Position, size int) ports.Stretch {
	t.Helper()
	stretch, err := s.After(t.Context(), to, from, size)
	if err != nil {
		t.Fatal(err)
	}
	return stretch
}

// addresses tells where contents are in memory: what is read twice is in two places.
func addresses(s ports.Stretch) (all []*byte) {
	for _, m := range s.Messages {
		all = append(all, &m.Content[0])
	}
	return all
}

// hundred are the sizes of a hundred messages of 100 bytes.
func hundred() []int {
	sizes := make([]int, 100)
	for i := range sizes {
		sizes[i] = 100
	}
	return sizes
}

// Ten thousand clients that missed the same hundred messages read each of them once.
func TestACrowdThatMissedTheSame(t *testing.T) {
	s, to := open(t, t.TempDir(), Options{}), domain.ToEveryone()
	from := addSizes(t, s, to, hundred()...)
	var mu sync.Mutex
	places := map[*byte]bool{}
	var crowd sync.WaitGroup
	for range 100 {
		crowd.Go(func() {
			for range 100 {
				stretch := after(t, s, to, from, 32<<10)
				if len(stretch.Messages) != 100 || stretch.More {
					t.Errorf("%d messages, more: %v", len(stretch.Messages), stretch.More)
				}
				mu.Lock()
				for _, place := range addresses(stretch) {
					places[place] = true
				}
				mu.Unlock()
			}
		})
	}
	crowd.Wait()
	if len(places) != 100 {
		t.Errorf("%d messages were read, want 100", len(places))
	}
}

// What is new is read alone, and by whoever asks after it has come: each message is found
// as soon as Append has returned.
func TestWhatHasComeSinceIsRead(t *testing.T) {
	s, to := open(t, t.TempDir(), Options{}), domain.ToEveryone()
	from := addSizes(t, s, to, 1, 2, 3)
	old := addresses(after(t, s, to, from, 32<<10))
	for n := 4; n < 50; n++ {
		addSizes(t, s, to, n)
		stretch := after(t, s, to, from, 32<<10)
		got := addresses(stretch)
		if len(got) != n || stretch.More || stretch.Position.Seq != from.Seq+int64(n) {
			t.Fatalf("%d messages up to %s, more: %v; want %d", len(got), stretch.Position, stretch.More, n)
		}
		for i, place := range old {
			if got[i] != place {
				t.Errorf("message %d was read again", i+1)
			}
		}
		old = got
	}
}

// An answer has no more than fits, whatever was read, nor what was appended since the
// channel was looked at.
func TestSharedMessagesThatDoNotFit(t *testing.T) {
	s, to := open(t, t.TempDir(), Options{}), domain.ToEveryone()
	from := addSizes(t, s, to, 50, 10, 40, 60, 5)
	for _, test := range []struct{ size, want int }{
		{49, 1}, {50, 1}, {59, 1}, {60, 2}, {99, 2}, {100, 3}, {1000, 5}, {159, 3}, {160, 4}, {1, 1}, {60, 2}, {1000, 5},
	} {
		stretch := after(t, s, to, from, test.size)
		if len(stretch.Messages) != test.want || stretch.More != (test.want < 5) || stretch.Position.Seq != from.Seq+int64(test.want) {
			t.Errorf("%d bytes: %d messages up to %s, more: %v; want %d", test.size, len(stretch.Messages), stretch.Position, stretch.More, test.want)
		}
	}
	err := s.view(t.Context(), to, func(p part, _ time.Time) error {
		got, err := p.shared(1, 2, 1000)
		if len(got) != 2 {
			t.Errorf("%d messages, want 2", len(got))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What is remembered is bounded, and right after some was forgotten.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	from := map[domain.Recipients]domain.Position{}
	for i := range 40 {
		to := domain.ToRoom(fmt.Sprint(i))
		from[to] = addSizes(t, s, to, 90<<10, 90<<10, 90<<10, 90<<10, 90<<10, 90<<10)
	}
	for range 2 {
		for to, at := range from {
			if n := len(after(t, s, to, at, 1<<20).Messages); n != 6 {
				t.Errorf("%s: %d messages", to, n)
			}
		}
	}
	size := 0
	for _, f := range s.recent.after {
		size += overhead + sizeOf(f.messages)
	}
	if size > maxRecent || size < maxRecent/2 || size != s.recent.size || len(s.recent.after) != len(s.recent.order) {
		t.Errorf("%d bytes, counted as %d, of %d and %d places", size, s.recent.size, len(s.recent.after), len(s.recent.order))
	}
}
