//go:build !386

package wsgateway

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/nettest"

	"serverless-websocket/integration/environments/testenv"
)

// socketPair returns a socket and its other end.
func socketPair(t *testing.T) (*socket, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	other, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var s *socket
	testenv.Eventually(t, patience, "a socket to accept", func() bool {
		_ = raw.Control(func(fd uintptr) { s, err = acceptNow(int(fd)) })
		return err == nil
	})
	t.Cleanup(func() { s.Close() })
	return s, other.(*net.TCPConn)
}

// A socket keeps the contract of net.Conn.
func TestSocket(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		s, other := socketPair(t)
		return s, other, func() { s.Close(); other.Close() }, nil
	})
}

func TestSocketKnowsItsEnds(t *testing.T) {
	s, other := socketPair(t)
	if got := s.RemoteAddr(); got.String() != other.LocalAddr().String() || got.Network() != "tcp" {
		t.Errorf("remote %v, want %v", got, other.LocalAddr())
	}
	if got := s.LocalAddr(); got.String() != other.RemoteAddr().String() {
		t.Errorf("local %v, want %v", got, other.RemoteAddr())
	}
}

// Accepting does not look up the zone of a link-local address: it holds a lock.
func TestZoneOfASocket(t *testing.T) {
	loopback, err := net.InterfaceByName("lo")
	if err != nil {
		testenv.Skip(t, "no loopback interface: %v", err)
	}
	raw := syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Addr: [16]byte{0xfe, 0x80, 15: 1}, Scope_id: uint32(loopback.Index)}
	var from syscall.RawSockaddrAny
	*(*syscall.RawSockaddrInet6)(unsafe.Pointer(&from)) = raw
	remote, scope := addressOf(&from)
	if remote.Addr().Zone() != "" {
		t.Errorf("accepted from %v", remote)
	}
	s := &socket{remote: remote, scope: scope}
	if got := s.RemoteAddr().String(); got != "[fe80::1%lo]:0" {
		t.Errorf("remote %v", got)
	}
}

// Many buffers, some empty, arrive in order, whatever the other end takes at once.
func TestSocketWritesBuffers(t *testing.T) {
	s, other := socketPair(t)
	var buffers net.Buffers
	var want []byte
	for i := range 3 * flushFrames {
		one := bytes.Repeat([]byte{byte(i)}, i%5*20_000)
		buffers, want = append(buffers, one), append(want, one...)
	}
	written := make(chan error, 1)
	go func() {
		n, err := s.writeBuffers(&buffers)
		if n != int64(len(want)) || len(buffers) > 0 {
			t.Errorf("%d bytes written, %d buffers left", n, len(buffers))
		}
		written <- errors.Join(err, s.CloseWrite())
	}()
	got, err := io.ReadAll(other)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	if err := await(t, written); err != nil {
		t.Error(err)
	}
}

// What a write that is over in time has written is known.
func TestSocketWritesForALimitedTime(t *testing.T) {
	s, other := socketPair(t)
	if err := s.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buffers := net.Buffers{make([]byte, 32<<20)}
	n, err := s.writeBuffers(&buffers)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n+int64(len(buffers[0])) != 32<<20 {
		t.Errorf("%d bytes written, %d left: %v", n, len(buffers[0]), err)
	}
	s.Close()
	if got, err := io.Copy(io.Discard, other); got != n {
		t.Errorf("%d bytes arrived of %d: %v", got, n, err)
	}
}

// The descriptor of a socket that is closed while it is read from is not another's before
// the reader is gone.
func TestSocketIsClosedWhileRead(t *testing.T) {
	for range 50 {
		s, _ := socketPair(t)
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				if n, err := s.Read(make([]byte, 1)); n != 0 || !errors.Is(err, net.ErrClosed) {
					t.Errorf("read %d bytes: %v", n, err)
				}
			})
		}
		testenv.Eventually(t, patience, "a reader", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.file != nil
		})
		s.Close()
		readers.Wait()
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed again: %v", err)
		}
		if err := s.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("deadline: %v", err)
		}
	}
}

// The runtime does not watch a socket that nobody waits for.
func TestSocketIsWatchedOnceItIsWaitedFor(t *testing.T) {
	s, other := socketPair(t)
	if _, err := other.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, patience, "a byte", func() bool {
		n, err := receiveNow(s.descriptor(), make([]byte, 1))
		return n == 1 && err == nil
	})
	if s.file != nil {
		t.Error("watched before it is waited for")
	}
	if err := s.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || s.file == nil {
		t.Errorf("read: %v", err)
	}
	if _, err := syscall.GetsockoptInt(s.fd, syscall.SOL_SOCKET, syscall.SO_ERROR); err != nil {
		t.Errorf("the descriptor has changed: %v", err)
	}
}
