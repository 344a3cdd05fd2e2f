package wire

import (
	"bytes"
	"io"
	"net"
	"sync"
	"syscall"

	"github.com/gobwas/ws"
)

// desk holds what one read needs. There are about as many as threads currently reading,
// however many connections there are.
type desk struct {
	buf    [maxPartial + mostRead]byte
	src    bytes.Reader
	header [ws.MaxHeaderSize]byte
	join   []byte // the waiting part of a message, and new data
	batch  Batch
	last   frame // see decodeFollowed
}

var desks = sync.Pool{New: func() any { return new(desk) }}

const (
	// mostRead is how much is read at once, in bytes.
	mostRead = 64 << 10
	// maxPartial is the maximum length of what precedes it: a control frame.
	maxPartial = ws.MaxHeaderSize + ws.MaxControlFramePayloadSize
)

// plainChunk is how much is read at a time where the underlying socket is not accessible,
// as with TLS.
const plainChunk = 4 << 10

// reads are the reads of one connection. Reads from a TCP socket take a desk only when
// there is something to read; the others wait with a small buffer of their own.
type reads struct {
	sock  net.Conn
	raw   syscall.RawConn       // nil where small is used
	try   func(fd uintptr) bool // read, as a value
	small []byte
	most  int                  // that can be read at once
	chunk int                  // and that is
	wait  func(bytes int) bool // after each; nil for none

	attempt attempt
}

// attempt is one non-blocking read.
type attempt struct {
	partial []byte
	desk    *desk
	n       int
	err     error
}

func newReads(sock net.Conn) reads {
	if s, ok := sock.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			return reads{sock: sock, raw: raw, most: mostRead, chunk: mostRead}
		}
	}
	return reads{sock: sock, small: make([]byte, plainChunk), most: plainChunk, chunk: plainChunk}
}

// next waits for data and returns a desk with n bytes in its buffer: the partial frame
// and what was read after it.
func (r *reads) next(partial []byte) (d *desk, n int, err error) {
	if r.raw == nil {
		return r.nextPlain(partial)
	}
	if r.try == nil {
		r.try = r.read // here, where r no longer moves
	}
	r.attempt = attempt{partial: partial}
	err = r.raw.Read(r.try)
	a := r.attempt
	if err == nil {
		err = a.err
	}
	return a.desk, a.n, err
}

func (r *reads) nextPlain(partial []byte) (d *desk, n int, err error) {
	read, err := r.sock.Read(r.small[:r.chunk])
	if err != nil {
		return nil, 0, err
	}
	d = desks.Get().(*desk)
	n = copy(d.buf[:], partial)
	n += copy(d.buf[n:], r.small[:read])
	return d, n, nil
}

// read reports whether it is done; otherwise the socket has nothing to read.
func (r *reads) read(fd uintptr) bool {
	a := &r.attempt
	d := desks.Get().(*desk)
	start := copy(d.buf[:], a.partial)
	n, err := retry(func() (int, error) { return syscall.Read(int(fd), d.buf[start:start+r.chunk]) })
	if n > 0 {
		a.desk, a.n = d, start+n
		return true
	}
	desks.Put(d)
	if err == syscall.EAGAIN {
		return false
	}
	if a.err = err; err == nil {
		a.err = io.EOF
	}
	return true
}

// retry repeats a call that a signal can interrupt.
func retry(do func() (int, error)) (int, error) {
	for {
		if n, err := do(); err != syscall.EINTR {
			return n, err
		}
	}
}
