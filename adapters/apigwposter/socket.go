package apigwposter

import (
	"encoding/binary"
	"net"
	"os"
	"syscall"
)

// socket is below TLS, if there is TLS, and follows what it reads.
type socket struct {
	net.Conn
	raw     syscall.RawConn // nil if there is no such thing
	secured bool            // carries TLS
	probing bool            // yields what has arrived, and waits for nothing
	probe   probe
	records records
}

func newSocket(c net.Conn, secured bool) *socket {
	s := &socket{Conn: c, secured: secured}
	if c, ok := c.(syscall.Conn); ok {
		s.raw, _ = c.SyscallConn()
	}
	s.probe.run = s.probe.read
	return s
}

func (s *socket) Read(b []byte) (n int, err error) {
	if s.probing {
		n, err = s.readNow(b)
	} else {
		n, err = s.Conn.Read(b)
	}
	if s.secured {
		s.records.add(b[:n])
	}
	return n, err
}

// readNow fails with os.ErrDeadlineExceeded, after which TLS can go on, if there is
// nothing to read or no way to find out.
func (s *socket) readNow(b []byte) (int, error) {
	if s.raw == nil {
		return 0, os.ErrDeadlineExceeded
	}
	s.probe.into = b
	if err := s.raw.Read(s.probe.run); err != nil {
		return 0, err
	}
	return s.probe.n, s.probe.err
}

// probe is a non-blocking read. It is kept because each post makes one.
type probe struct {
	run  func(fd uintptr) bool // read, as a syscall.RawConn takes it
	into []byte
	n    int
	err  error
}

func (p *probe) read(fd uintptr) (done bool) {
	p.n, p.err = readDescriptor(fd, p.into)
	return true
}

// whole reports whether the data read so far ends at the end of a TLS record.
func (s *socket) whole() bool { return s.records == records{} }

// records follows TLS framing: a five-byte header whose last two bytes are the length of
// what follows (RFC 8446, section 5.1).
type records struct {
	header [5]byte
	begun  int // how much there is of the header
	body   int // how much is missing of the body
}

func (r *records) add(b []byte) {
	for len(b) > 0 {
		if r.body > 0 {
			n := min(r.body, len(b))
			r.body, b = r.body-n, b[n:]
			continue
		}
		n := copy(r.header[r.begun:], b)
		r.begun, b = r.begun+n, b[n:]
		if r.begun == len(r.header) {
			*r = records{body: int(binary.BigEndian.Uint16(r.header[3:]))}
		}
	}
}
