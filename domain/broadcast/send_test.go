package broadcast_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/broadcast"
)

func TestSendSaysWhenTheQueueDoesNotTakeTheMessage(t *testing.T) {
	w := newWorld(t, broadcast.Options{})
	w.faultyQueue.err = errors.New("queue down")
	w.sender.Queue = w.faultyQueue
	_, err := w.sender.Send(context.Background(), domain.Content(`1`))
	wantCode(t, err, domain.Unavailable)
	if !errors.Is(err, w.faultyQueue.err) {
		t.Errorf("the cause is missing from %v", err)
	}
}

func TestSendRefusesWhatDoesNotFitAFrame(t *testing.T) {
	w := newWorld(t, broadcast.Options{})
	_, err := w.sender.Send(context.Background(), domain.Content(`"`+strings.Repeat("x", domain.MaxPayload)+`"`))
	wantCode(t, err, domain.ContentTooLarge)
	if depth := w.queue.Depth(); depth.Ready > 0 {
		t.Errorf("queued all the same: %+v", depth)
	}
}

// An id that is no ULID would break the frame for everyone who shares it.
func TestSendRefusesAnIDThatIsNone(t *testing.T) {
	w := newWorld(t, broadcast.Options{})
	w.sender.NewID = func(time.Time) domain.MessageID { return `","content":"forged` }
	if _, err := w.sender.Send(context.Background(), domain.Content(`1`)); err == nil {
		t.Error("accepted")
	}
	if depth := w.queue.Depth(); depth.Ready > 0 {
		t.Errorf("queued all the same: %+v", depth)
	}
}

func TestAConnectionWithoutAnIDIsNotRegistered(t *testing.T) {
	w := newWorld(t, broadcast.Options{})
	registry := &broadcast.Registry{Store: w.store, Lifetime: time.Hour}
	for _, id := range []domain.ConnectionID{"", "\xff", domain.ConnectionID(strings.Repeat("x", 2049))} {
		wantCode(t, registry.Connect(context.Background(), id), domain.Internal)
		wantCode(t, registry.Disconnect(context.Background(), id), domain.Internal)
	}
	if got := w.registered(); len(got) > 0 {
		t.Errorf("registered: %q", got)
	}
}

func wantCode(t *testing.T, err error, code domain.Code) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func TestARegisteredConnectionExpiresAfterItsLifetime(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, broadcast.Options{})
		registry := &broadcast.Registry{Store: w.store, Lifetime: time.Hour}
		ctx := context.Background()
		for _, id := range []domain.ConnectionID{"stays", "leaves"} {
			if err := registry.Connect(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // reported twice
			if err := registry.Disconnect(ctx, "leaves"); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.registered(); len(got) != 1 || got[0] != "stays" {
			t.Errorf("registered: %v", got)
		}
		time.Sleep(time.Hour) // virtual
		if got := w.registered(); len(got) != 1 {
			t.Errorf("registered at the end of their lifetime: %v", got)
		}
		time.Sleep(15 * time.Minute)
		if got := w.registered(); len(got) != 0 {
			t.Errorf("registered long after it: %v", got)
		}
	})(t)
}
