package main

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"serverless-websocket/integration/tools/load/wire"
)

// events counts what happens to connections. The zero value has counted none.
type events struct {
	mu       sync.Mutex
	refusals map[string]int // by reason, each attempt
	closes   map[string]int // by code, or what ended the connection without one
	away     int            // clients that never connected
	cut      int            // of the closes, those that should not be
	again    int            // attempts to reconnect that were refused
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

// refusedAgain counts an attempt to reconnect that failed.
func (e *events) refusedAgain(err error) {
	e.refused(err)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.again++
}

// turnedAway counts a client that never connected.
func (e *events) turnedAway(err error) {
	e.refused(err)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away++
}

// closed counts a connection that the client did not end. That is expected if the client
// reads slowly: a service has to drop such clients eventually.
func (e *events) closed(end error, expected bool) {
	reason := "lost without a close frame"
	if frame := new(wire.CloseError); errors.As(end, &frame) {
		reason = fmt.Sprint(frame.Code)
	} else if errors.Is(end, wire.ErrProtocol) {
		reason = end.Error()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	count(&e.closes, reason)
	if !expected {
		e.cut++
	}
}

// disturbed returns how many connections were closed unexpectedly, and how many attempts
// to reconnect were refused.
func (e *events) disturbed() (closed, refused int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cut, e.again
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
