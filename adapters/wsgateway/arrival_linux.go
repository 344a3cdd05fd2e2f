//go:build !386

package wsgateway

import (
	"bytes"
	"errors"
	"syscall"
	"time"
)

// arrival is a socket whose handshake has not been read completely.
type arrival struct {
	acceptor *acceptor
	sock     *socket
	by       time.Time // when the handshake must have arrived

	again   bool        // nothing had arrived when it was first read from
	watched bool        // the epoll knows the socket
	pending *claim      // while it waits
	timer   *time.Timer // likewise
	buffer  *[usualHead]byte
	head    []byte // in the buffer
	rest    []byte // likewise
}

// receive reads what has arrived. It reports whether that is a whole head, for handle.
func (w *arrival) receive() (whole bool) {
	w.buffer = heads.Get().(*[usualHead]byte)
	n, err := syscall.Read(w.sock.fd, w.buffer[:]) // known to the race detector, unlike receiveNow
	received := w.buffer[:max(n, 0)]
	if i := bytes.Index(received, endOfHead); i >= 0 {
		w.head, w.rest = received[:i+len(endOfHead)], received[i+len(endOfHead):]
		return true
	}
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		w.notYet()
	case n <= 0:
		w.drop()
	default:
		w.goOn(bytes.Clone(received))
	}
	heads.Put(w.buffer)
	w.buffer = nil
	return false
}

// handle performs the handshake.
func (w *arrival) handle() {
	w.acceptor.g.upgrade(w.sock, w.head, w.rest, w.finish)
	heads.Put(w.buffer)
}

// finish is called with the outcome of the handshake. The error is a refusal.
func (w *arrival) finish(err error) {
	g := w.acceptor.g
	if err == nil {
		g.running.Done()
		return
	}
	g.goroutines.run(func() {
		defer g.running.Done()
		g.refuse(w.sock, err)
	})
}

// notYet has the acceptor read from the socket again, once it has done what it can.
func (w *arrival) notYet() {
	if w.again {
		w.wait()
		return
	}
	w.again = true
	w.acceptor.late = append(w.acceptor.late, w)
}

// wait has the acceptor read from the socket when there is something to read.
func (w *arrival) wait() {
	a := w.acceptor
	if !a.watch(w) {
		w.goOn(nil)
		return
	}
	w.pending = a.g.pending.claim(1, w.expire)
	w.timer = time.AfterFunc(time.Until(w.by), func() {
		w.pending.release()
		w.expire()
	})
}

// arrived ends the wait. It reports false if the socket has been closed meanwhile.
func (w *arrival) arrived() bool {
	if !w.acceptor.take(w) {
		return false
	}
	w.timer.Stop()
	w.pending.release()
	return true
}

// expire closes a socket that has waited for too long.
func (w *arrival) expire() {
	if w.acceptor.take(w) {
		w.drop()
	}
}

func (w *arrival) drop() {
	w.sock.Close()
	w.acceptor.g.running.Done()
}

// goOn has a goroutine wait for the rest of the handshake.
func (w *arrival) goOn(early []byte) {
	g := w.acceptor.g
	g.goroutines.run(func() { g.receive(w.sock, early, w.by) })
}
