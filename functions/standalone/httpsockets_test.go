package main

import (
	"net"
	"net/http"
	"slices"
	"testing"
)

// socket records that it was closed.
type socket struct {
	net.Conn
	closed bool
}

func (s *socket) Close() error {
	s.closed = true
	return nil
}

func TestUnusedHTTPSocketsMakeRoom(t *testing.T) {
	type change struct {
		socket int
		state  http.ConnState
	}
	for name, test := range map[string]struct {
		changes []change
		closed  []int
	}{
		"room for one more": {[]change{{0, http.StateNew}, {1, http.StateNew}}, nil},
		"none has sent a request": {
			[]change{{0, http.StateNew}, {1, http.StateNew}, {2, http.StateNew}}, []int{0}},
		"the oldest is at work": {
			[]change{{0, http.StateNew}, {0, http.StateActive}, {1, http.StateNew}, {2, http.StateNew}}, []int{1}},
		"the oldest was at work last": {
			[]change{{0, http.StateNew}, {1, http.StateNew}, {0, http.StateActive}, {0, http.StateIdle}, {2, http.StateNew}}, []int{1}},
		"all are at work": {
			[]change{{0, http.StateNew}, {0, http.StateActive}, {1, http.StateNew}, {1, http.StateActive}, {2, http.StateNew}}, nil},
		"one becomes idle when all are taken": {
			[]change{{0, http.StateNew}, {0, http.StateActive}, {1, http.StateNew}, {1, http.StateActive},
				{2, http.StateNew}, {2, http.StateActive}, {0, http.StateIdle}, {1, http.StateIdle}}, []int{0}},
		"one has gone": {
			[]change{{0, http.StateNew}, {1, http.StateNew}, {1, http.StateClosed}, {2, http.StateNew}}, nil},
		"a socket counts once": {
			[]change{{0, http.StateNew}, {1, http.StateNew}, {2, http.StateNew}, {0, http.StateClosed}, {3, http.StateNew}}, []int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			sockets, made := newHTTPSockets(3), make([]socket, 4)
			for _, c := range test.changes {
				sockets.changed(&made[c.socket], c.state)
			}
			var closed []int
			for i := range made {
				if made[i].closed {
					closed = append(closed, i)
				}
			}
			if !slices.Equal(closed, test.closed) {
				t.Errorf("closed %v, want %v", closed, test.closed)
			}
		})
	}
}
