package wsgateway

import (
	"sync"
	"syscall"
)

// readableOnce reports a socket once, when there is something to read or it is broken.
const readableOnce = syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT

// poller watches the sockets of parked connections, and wakes a connection when there
// is something to read. It needs one goroutine for all of them.
//
// The zero value is ready to use. A poller is safe for concurrent use.
type poller struct {
	mu      sync.Mutex
	epoll   *epoll          // nil before the first connection, and when closed
	watched map[int32]*conn // by descriptor
	ended   chan struct{}   // closed when the goroutine has ended
	closed  bool
}

// watch arranges for the connection to be woken once, when its socket is readable or
// broken. It reports whether that is possible. The caller holds c.mu.
func (p *poller) watch(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.epoll == nil && p.start() != nil {
		return false
	}
	fd, operation := int32(c.descriptor), syscall.EPOLL_CTL_MOD
	if p.watched[fd] != c {
		operation = syscall.EPOLL_CTL_ADD
	}
	if p.epoll.control(operation, c.descriptor, readableOnce) != nil {
		return false
	}
	p.watched[fd] = c
	return true
}

// forget stops watching the connection. Call it before the descriptor is closed, with
// c.mu held.
func (p *poller) forget(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fd := int32(c.descriptor); p.watched[fd] == c {
		if p.epoll != nil {
			_ = p.epoll.control(syscall.EPOLL_CTL_DEL, c.descriptor, 0) // cannot fail: the descriptor is watched
		}
		delete(p.watched, fd)
	}
}

// start creates the epoll and starts the goroutine. The caller holds p.mu.
func (p *poller) start() (err error) {
	if p.epoll, err = newEpoll(); err != nil {
		return err
	}
	p.watched, p.ended = make(map[int32]*conn), make(chan struct{})
	go p.run(p.epoll, p.ended)
	return nil
}

func (p *poller) run(e *epoll, ended chan struct{}) {
	defer close(ended)
	events := new([mostEvents]syscall.EpollEvent)
	for {
		n, err := e.wait(events)
		if err != nil {
			return // closed
		}
		for _, event := range events[:n] {
			if c := p.find(event.Fd); c != nil {
				c.wake()
			}
		}
	}
}

func (p *poller) find(fd int32) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.watched[fd]
}

// close stops the poller. No connection can be parked after that.
func (p *poller) close() {
	p.mu.Lock()
	e, ended := p.epoll, p.ended
	p.epoll, p.closed = nil, true
	p.mu.Unlock()
	if e != nil {
		e.close()
		<-ended
	}
}
