//go:build !386

package wsgateway

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// mostAccepted is the maximum number of sockets that are accepted at once.
const mostAccepted = 64

// acceptor accepts the sockets of a listener and performs their handshakes, on one
// goroutine as long as $connect is quick: waking another processor for each handshake costs
// as much as $connect does. A socket whose handshake has not arrived waits in the epoll.
type acceptor struct {
	g       *Gateway
	relay   relay
	epoll   epoll
	closing int           // one end of a pipe: the epoll reports it when the other is closed
	ended   chan struct{} // closed when nothing is accepted any more

	// Only the goroutine in the relay's loop uses these.
	events   [mostEvents]syscall.EpollEvent
	arrivals []*arrival // to be read from
	next     int        // the first of them
	late     []*arrival // to be read from after those
	failures int        // to accept, in a row

	mu       sync.Mutex
	listener int // descriptor
	open     int // the pipe's other end
	closed   bool
	waiting  map[int32]*arrival // by descriptor; nil when the loop has ended
}

// newAcceptor returns an acceptor that owns the descriptor, or an error.
func newAcceptor(g *Gateway, listener int) (*acceptor, error) {
	e, err := newEpoll()
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
		e.close()
		return nil, os.NewSyscallError("pipe2", err)
	}
	a := &acceptor{g: g, epoll: e, closing: pipe[0], ended: make(chan struct{}), listener: listener, open: pipe[1],
		waiting: make(map[int32]*arrival)}
	a.relay.goroutines, a.relay.loop = g.goroutines, a.run
	err = errors.Join(
		e.control(syscall.EPOLL_CTL_ADD, listener, syscall.EPOLLIN),
		e.control(syscall.EPOLL_CTL_ADD, a.closing, syscall.EPOLLIN))
	if err != nil {
		syscall.Close(a.open)
		a.closeEpoll()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return a, nil
}

// close makes the acceptor end. The handshakes of the sockets that it has accepted go on.
func (a *acceptor) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	return errors.Join(syscall.Close(a.listener), syscall.Close(a.open))
}

func (a *acceptor) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// run is the loop. It waits in a thread of its own: the runtime's would wake up for each
// socket that arrives while the loop runs, to find that nothing waits for it.
func (a *acceptor) run() {
	for a.handleArrivals() {
		if a.isClosed() {
			a.end()
			return
		}
		n := a.epoll.wait(&a.events)
		for _, event := range a.events[:n] {
			if event.Fd == int32(a.listener) {
				a.accept()
			} else if w := a.find(event.Fd); w != nil && w.arrived() {
				a.arrivals = append(a.arrivals, w)
			}
		}
	}
}

// handleArrivals reports whether the caller is still in the loop.
func (a *acceptor) handleArrivals() bool {
	for len(a.arrivals) > 0 {
		for a.next < len(a.arrivals) {
			w := a.arrivals[a.next]
			a.next++
			if w.receive() && !a.relay.step(w.handle) {
				return false
			}
		}
		clear(a.arrivals)
		a.arrivals, a.late, a.next = a.late, a.arrivals[:0], 0
	}
	return true
}

// accept accepts the sockets that are there.
func (a *acceptor) accept() {
	by := time.Now().Add(a.g.cfg.HandshakeTimeout)
	for range mostAccepted {
		s, err := a.acceptOne()
		switch failures := a.failures; {
		case err == syscall.EAGAIN, err == os.ErrClosed:
			return
		case err != nil:
			a.failures++
			err = os.NewSyscallError("accept4", err)
			a.g.observe(func(o Observer) { o.AcceptFailed(err, a.failures) })
			a.pause(acceptPause(a.failures))
			return
		case failures > 0:
			a.g.observe(func(o Observer) { o.AcceptRecovered(failures) })
			a.failures = 0
		}
		if a.g.begin() {
			a.arrivals = append(a.arrivals, &arrival{acceptor: a, sock: s, by: by})
		} else {
			s.Close()
		}
	}
}

func (a *acceptor) acceptOne() (*socket, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, os.ErrClosed
	}
	return acceptNow(a.listener)
}

// pause stops accepting for a while.
func (a *acceptor) pause(d time.Duration) {
	a.report(0)
	time.AfterFunc(d, func() { a.report(syscall.EPOLLIN) })
}

// report says which events of the listener to report.
func (a *acceptor) report(events uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		_ = a.epoll.control(syscall.EPOLL_CTL_MOD, a.listener, events) // cannot fail: the listener is watched
	}
}

// watch has the epoll watch the arrival's socket, and reports whether it does.
func (a *acceptor) watch(w *arrival) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	operation := syscall.EPOLL_CTL_ADD
	if w.watched {
		operation = syscall.EPOLL_CTL_MOD
	}
	if a.closed || a.epoll.control(operation, w.sock.fd, readableOnce) != nil {
		return false
	}
	w.watched = true
	a.waiting[int32(w.sock.fd)] = w
	return true
}

// find returns the arrival that waits with the descriptor, and nil if it has ended.
func (a *acceptor) find(fd int32) *arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting[fd]
}

// take ends the waiting of an arrival. It reports false if that had ended.
func (a *acceptor) take(w *arrival) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	fd := int32(w.sock.fd)
	if a.waiting[fd] != w {
		return false
	}
	delete(a.waiting, fd)
	return true
}

// end has goroutines wait for the handshakes that have not arrived.
func (a *acceptor) end() {
	a.mu.Lock()
	waiting := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	for _, w := range waiting {
		w.timer.Stop()
		w.pending.release()
		w.goOn(nil)
	}
	a.closeEpoll()
	close(a.ended)
}

func (a *acceptor) closeEpoll() {
	a.epoll.close()
	syscall.Close(a.closing)
}
