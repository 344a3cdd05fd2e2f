package wsgateway

import (
	"os"
	"sync"
	"syscall"
)

// poller watches the sockets of parked connections, and wakes a connection when there
// is something to read. The runtime watches sockets too, but needs a goroutine for
// each. The poller needs one: it waits for the epoll descriptor through the runtime,
// and so occupies no thread.
//
// The zero value is ready to use. A poller is safe for concurrent use.
type poller struct {
	mu      sync.Mutex
	file    *os.File // of the epoll; nil before the first connection
	epoll   epoll
	watched []*conn       // by descriptor, which are small numbers
	ended   chan struct{} // closed when the goroutine has ended
	closed  bool
}

// watch arranges for the connection to be woken once, when its socket is readable or
// broken. It reports whether that is possible. The caller holds c.mu.
func (p *poller) watch(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.file == nil && p.start() != nil {
		return false
	}
	operation := syscall.EPOLL_CTL_MOD
	if p.find(c.descriptor) != c {
		operation = syscall.EPOLL_CTL_ADD
	}
	if p.epoll.control(operation, c.descriptor, readableOnce) != nil {
		return false
	}
	for len(p.watched) <= c.descriptor {
		p.watched = append(p.watched, nil)
	}
	p.watched[c.descriptor] = c
	return true
}

// forget stops watching the connection. Call it before the descriptor is closed, with
// c.mu held.
func (p *poller) forget(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.find(c.descriptor) == c {
		if !p.closed {
			_ = p.epoll.control(syscall.EPOLL_CTL_DEL, c.descriptor, 0) // cannot fail: the descriptor is watched
		}
		p.watched[c.descriptor] = nil
	}
}

// start creates the epoll and starts the goroutine. The caller holds p.mu.
func (p *poller) start() error {
	e, err := newEpoll()
	if err == nil {
		err = syscall.SetNonblock(int(e), true) // so that the runtime can wait for it
	}
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(e), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return err
	}
	p.file, p.epoll, p.ended = file, e, make(chan struct{})
	go p.run(raw, p.ended)
	return nil
}

func (p *poller) run(raw syscall.RawConn, ended chan struct{}) {
	defer close(ended)
	events := new([mostEvents]syscall.EpollEvent)
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n = epoll(fd).poll(events)
			return n > 0
		})
		if err != nil {
			return // closed
		}
		for _, event := range events[:n] {
			if c := p.awaited(int(event.Fd)); c != nil {
				c.wake()
			}
		}
	}
}

func (p *poller) awaited(fd int) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(fd)
}

// find returns the connection that is watched, or nil. The caller holds p.mu.
func (p *poller) find(fd int) *conn {
	if fd < 0 || fd >= len(p.watched) {
		return nil
	}
	return p.watched[fd]
}

// close stops the poller. No connection can be parked after that.
func (p *poller) close() {
	p.mu.Lock()
	file, ended := p.file, p.ended
	p.file, p.closed = nil, true
	p.mu.Unlock()
	if file != nil {
		file.Close()
		<-ended
	}
}
