package governor

import (
	"context"
	"errors"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/ports"
)

type yes struct{}

func (yes) Prepare([]byte) (ports.Post, error) { return yes{}.Closing(), nil }

func (yes) Closing() ports.Post {
	return func(context.Context, domain.ConnectionID) error { return nil }
}

// While a Lambda is frozen, the account's bucket still fills. After a clock is set back,
// it fills as if nothing had happened.
func TestTheBucketFillsWhileFrozen(t *testing.T) {
	const fills = 100 * time.Second
	for _, frozen := range []time.Duration{0, fills - 10*time.Second, fills, time.Hour, -time.Hour} {
		g := New(yes{}, Options{PerSecond: 1 / fills.Seconds(), Burst: 1}).(*Governor)
		began := time.Now()
		now := began
		g.now = func() time.Time { return now }
		post, err := g.Prepare(nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), fills/2) // too short to wait for the bucket
		defer cancel()
		if err := post(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		now = testenv.Later(began, frozen)
		if err := post(ctx, "a"); errors.Is(err, ports.ErrNotSent) != (frozen < fills/2) {
			t.Errorf("frozen for %v: %v", frozen, err)
		}
	}
}

func TestThePaceGoesOnAfterTheClockWasSetBack(t *testing.T) {
	start := time.Now().Round(0)
	p := pace{full: 100, now: 50, since: start}
	back := start.Add(-time.Hour)
	for i := range 10 {
		p.next(new(counts), back.Add(time.Duration(i)*time.Second))
	}
	if p.now != 100 {
		t.Errorf("%v posts a second, ten seconds after the clock was set back", p.now)
	}
}
