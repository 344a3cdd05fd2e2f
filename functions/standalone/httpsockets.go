package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// httpSockets limits the sockets of an HTTP server, together with a listener that accepts
// no more than limit. When all are taken, it closes the one that has waited longest for a
// request, so that unused sockets keep no one out.
type httpSockets struct {
	limit int

	mu      sync.Mutex
	open    int
	waiting list.List // of net.Conn; the first has waited longest
	places  map[net.Conn]*list.Element
}

func newHTTPSockets(limit int) *httpSockets {
	return &httpSockets{limit: limit, places: make(map[net.Conn]*list.Element)}
}

// changed is the callback for http.Server.ConnState.
func (s *httpSockets) changed(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	s.move(conn, state)
	spare := s.spare(conn)
	s.mu.Unlock()
	if spare != nil {
		spare.Close()
	}
}

func (s *httpSockets) move(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open++
		s.places[conn] = s.waiting.PushBack(conn)
	case http.StateIdle:
		s.places[conn] = s.waiting.PushBack(conn)
	case http.StateActive:
		s.leave(conn)
	default:
		s.leave(conn)
		s.open--
	}
}

func (s *httpSockets) leave(conn net.Conn) {
	if place := s.places[conn]; place != nil {
		s.waiting.Remove(place)
		delete(s.places, conn)
	}
}

// spare picks the socket to close, if any: never the one that has just changed.
func (s *httpSockets) spare(but net.Conn) net.Conn {
	if s.open < s.limit || s.waiting.Len() == 0 {
		return nil
	}
	oldest := s.waiting.Front().Value.(net.Conn)
	if oldest == but {
		return nil
	}
	s.leave(oldest)
	return oldest
}
