package memqueue

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is an observer that keeps what it hears. The queue calls it locked.
type recorder struct{ heard []string }

func (r *recorder) note(what string, m Message) {
	r.heard = append(r.heard, what+" "+m.Body+" after "+strconv.Itoa(m.ReceiveCount))
}

func (r *recorder) Redelivered(m Message)     { r.note("redelivered", m) }
func (r *recorder) DeadLettered(m Message)    { r.note("dead-lettered", m) }
func (r *recorder) DeadLettersFull(m Message) { r.note("full", m) }

func TestAnObserverHearsOfMessagesThatAreNotDeletedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, heard := New(Config{MaxBytes: 10}), new(recorder)
		q := New(Config{Visibility: time.Second, MaxReceives: 2, DeadLetters: dead, Log: quietLog(), Observer: heard})
		send(t, dead, "in the way")
		send(t, q, "poison")
		send(t, q, "good")
		for _, m := range receive(t, q, 2) {
			if m.Body == "good" {
				q.Delete(m.Receipt)
			}
		}
		receive(t, q, 1)
		receive(t, q, 1)
		dead.Delete(receive(t, dead, 1)[0].Receipt)
		receive(t, dead, 1)
		wantDepth(t, q, Depth{})
		want := []string{
			"redelivered poison after 1",
			"full poison after 2", "redelivered poison after 2",
			"dead-lettered poison after 3",
		}
		if !slices.Equal(heard.heard, want) {
			t.Errorf("heard %q, want %q", heard.heard, want)
		}
	})
}

// A message that is given back is redelivered at once.
func TestAnObserverHearsOfMessagesThatAreGivenBack(t *testing.T) {
	dead, heard := New(Config{}), new(recorder)
	q := New(Config{MaxReceives: 2, DeadLetters: dead, Log: quietLog(), Observer: heard})
	send(t, q, "poison")
	for range 2 {
		q.ChangeVisibility(0, receive(t, q, 1)[0].Receipt)
	}
	wantDepth(t, q, Depth{})
	if want := []string{"redelivered poison after 1", "dead-lettered poison after 2"}; !slices.Equal(heard.heard, want) {
		t.Errorf("heard %q, want %q", heard.heard, want)
	}
}
