package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

var errNoHistory = errors.New("the service keeps no history: " +
	"start standalone without -history-days 0, or deploy the stage without historyDays=0")

// awaitPositions waits until the clients that are connected have their first position.
func (r *loadRun) awaitPositions(ctx context.Context, clients []*client) error {
	limit, cancel := context.WithTimeout(ctx, r.settings.connectTimeout)
	defer cancel()
	late := 0
	for _, c := range clients {
		if c.follower != nil && c.follower.isConnected() && !c.follower.known.await(limit) {
			late++
		}
	}
	switch _, noneKept := r.resumes.refused(); {
	case noneKept:
		return errNoHistory
	case ctx.Err() == nil && late > 0:
		return fmt.Errorf("%d clients got no answer to resume within %v", late, r.settings.connectTimeout)
	}
	return nil
}

// cutClients cuts clients on a schedule, until the function that it returns is called.
func (r *loadRun) cutClients() (stop func()) {
	if !r.settings.chosen.follow {
		return func() {}
	}
	done, ticker := make(chan struct{}), time.NewTicker(r.settings.resumeEvery)
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for {
			select {
			case <-ticker.C:
				r.cutSome()
			case <-done:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		cutting.Wait()
	}
}

// cutSome cuts a share of the clients, chosen at random. Senders stay: a reply that is cut
// off says nothing about resuming.
func (r *loadRun) cutSome() {
	listeners := r.clients[len(r.senders):]
	n := int(math.Ceil(r.settings.resumeShare * float64(len(listeners))))
	for _, i := range rand.Perm(len(listeners))[:n] {
		if listeners[i].follower.cutOff() {
			r.resumes.cut()
		}
	}
}

// resumeOnceMore makes all clients that have a position resume, and returns how many could
// not.
func (r *loadRun) resumeOnceMore() (behind int) {
	limit, cancel := context.WithTimeout(context.Background(), r.settings.drain)
	defer cancel()
	var asked []*follower
	for _, c := range r.clients {
		if c.follower.known.given() {
			_ = r.pace.Wait(limit) // it is over soon enough
			c.follower.finish()
			asked = append(asked, c.follower)
		}
	}
	for _, f := range asked {
		if !f.done.await(limit) {
			behind++
		}
	}
	return behind
}

// signal is given once.
type signal struct {
	once    *sync.Once
	channel chan struct{}
}

func newSignal() signal { return signal{new(sync.Once), make(chan struct{})} }

func (s signal) give() { s.once.Do(func() { close(s.channel) }) }

func (s signal) given() bool {
	select {
	case <-s.channel:
		return true
	default:
		return false
	}
}

// await reports whether the signal is given before ctx ends.
func (s signal) await(ctx context.Context) bool {
	select {
	case <-s.channel:
		return true
	case <-ctx.Done():
		return s.given()
	}
}
