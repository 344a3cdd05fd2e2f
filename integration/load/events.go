package main

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"serverless-websocket/integration/load/wire"
)

// events counts what happens to connections. The zero value has counted none.
type events struct {
	mu       sync.Mutex
	refusals map[string]int // by reason, each attempt
	closes   map[string]int // by code, or what ended the connection without one
	away     int            // clients that never connected
	first    error          // of the refusals
}

// refused counts an attempt to connect that failed.
func (e *events) refused(err error) {
	reason := err.Error()
	if refusal := new(wire.Refusal); errors.As(err, &refusal) {
		reason = refusal.Reason
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.first == nil {
		e.first = err
	}
	count(&e.refusals, reason)
}

// turnedAway counts a client that will not connect at all.
func (e *events) turnedAway(err error) {
	e.refused(err)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away++
}

// closed counts a connection that the client did not end.
func (e *events) closed(end error) {
	reason := "lost without a close frame"
	if frame := new(wire.CloseError); errors.As(end, &frame) {
		reason = fmt.Sprint(frame.Code)
	} else if errors.Is(end, wire.ErrProtocol) {
		reason = end.Error()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	count(&e.closes, reason)
}

// neverConnected returns how many clients were refused, and an error of the
// first.
func (e *events) neverConnected() (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.away, e.first
}

func (e *events) counts() (refusals, closes map[string]int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.refusals), maps.Clone(e.closes)
}

func count(m *map[string]int, key string) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[key]++
}
