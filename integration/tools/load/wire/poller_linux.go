//go:build !386

package wire

import (
	"io"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	// mostEvents is the maximum number of connections read between two waits.
	mostEvents = 256
	// gather is how long a Poller lets frames gather before it looks for more. That means
	// fewer wake-ups, but its read times are late by up to twice that, since the system's
	// timers are late too.
	gather = 50 * time.Microsecond
)

// Poller reads for many connections in one goroutine. That saves a goroutine switch and
// an empty read per delivery. The goroutine lives as long as there are connections. The
// zero value has none. It is safe for concurrent use.
type Poller struct {
	mu    sync.Mutex
	epoll int              // of the goroutine
	conns map[int32]polled // by descriptor
}

// polled is a connection being read.
type polled struct {
	fd     int
	conn   *Conn
	handle func(*Batch)
	ended  chan error
}

// Adopt makes the Poller read for the connection when Receive is called, if it is plain
// TCP. The handlers of all its connections are called one after the other. Call it before
// any other method but Follow, and only for connections that do not broadcast: a write is
// then given up when the server takes nothing within closeTimeout, whatever the context
// says.
func (p *Poller) Adopt(c *Conn) {
	p.mu.Lock() // one at a time: each temporarily needs a second descriptor
	defer p.mu.Unlock()
	sock, fd, err := detach(c.sock)
	if err != nil {
		return
	}
	c.sock, c.reads = sock, reads{}
	c.poll = func(handle func(*Batch)) error {
		one := polled{fd: fd, conn: c, handle: handle, ended: make(chan error, 1)}
		if err := p.add(one); err != nil {
			return err
		}
		return <-one.ended
	}
}

func (p *Poller) add(one polled) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := len(p.conns) == 0
	if first {
		if p.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
			return err
		}
		p.conns = map[int32]polled{}
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(one.fd)}
	if err = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, one.fd, &event); err != nil {
		if first {
			syscall.Close(p.epoll)
		}
		return err
	}
	p.conns[event.Fd] = one
	if first {
		go p.run(p.epoll)
	}
	return nil
}

// remove stops reading from a connection. Its descriptor is only closed after that, so an
// event never belongs to another connection that got the same one.
func (p *Poller) remove(one polled, end error) (last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, one.fd, nil) // it is there
	delete(p.conns, int32(one.fd))
	one.ended <- end
	return len(p.conns) == 0
}

func (p *Poller) get(fd int32) polled {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[fd]
}

// run reads until no connections are left.
func (p *Poller) run(epoll int) {
	defer syscall.Close(epoll)
	events, d := make([]syscall.EpollEvent, mostEvents), new(desk)
	pause := syscall.NsecToTimespec(gather.Nanoseconds())
	for {
		n, err := retry(func() (int, error) { return syscall.EpollWait(epoll, events, -1) })
		if err != nil {
			panic(err) // only for a wrong argument
		}
		for _, e := range events[:n] {
			one := p.get(e.Fd)
			if err := one.read(d); err != nil && p.remove(one, err) {
				return
			}
		}
		if n < mostEvents {
			_ = syscall.Nanosleep(&pause, nil) // a signal may end it
		}
	}
}

// read reads once: the next wait reports whether there is more.
func (one polled) read(d *desk) error {
	start := copy(d.buf[:], one.conn.partial)
	n, err := readNow(one.fd, d.buf[start:start+mostRead])
	switch {
	case err == syscall.EAGAIN:
		return nil
	case err != nil:
		return err
	case n == 0:
		return io.EOF
	}
	d.batch.Bytes = n
	return one.conn.take(d, d.buf[:start+n], one.handle)
}

// readNow is a non-blocking recv(2). It bypasses the runtime, which would otherwise check
// for long calls thousands of times a second.
func readNow(fd int, buf []byte) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM,
		uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)),
		syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
