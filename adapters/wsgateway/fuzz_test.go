package wsgateway

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/gobwas/ws"
)

// FuzzConnection sends arbitrary bytes to a connection. The gateway always answers with
// well-formed frames, invokes $disconnect once with a code, and shuts down.
func FuzzConnection(f *testing.F) {
	masked := func(frames ...ws.Frame) (wire []byte) {
		for _, frame := range frames {
			wire = append(wire, ws.MustCompileFrame(ws.MaskFrameWith(frame, [4]byte{1, 2, 3, 4}))...)
		}
		return wire
	}
	f.Add([]byte{})
	f.Add([]byte{0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0})
	f.Add(masked(text(true, "hello"), ws.NewPingFrame([]byte("p")), closing(1000, "bye")))
	f.Add(masked(text(false, "한"[:1]), ws.NewPongFrame(nil), continuation(true, "한"[1:])))
	f.Add(masked(text(true, letters(101)), closing(1009, "")))
	f.Add(masked(text(false, letters(100)), continuation(false, letters(100)), continuation(true, "x")))
	f.Add(masked(ws.NewBinaryFrame([]byte("x"))))
	f.Add(masked(text(true, "\xff"))[:7])

	f.Fuzz(func(t *testing.T, wire []byte) {
		synctest.Test(t, func(t *testing.T) { feed(t, wire) })
	})
}

func feed(t *testing.T, wire []byte) {
	g, p := openPipe(t, Config{FrameLimit: 100, MessageLimit: 200})
	go func() {
		_, _ = p.Write(wire) // fails if the server has closed
		p.conn.startClose(ws.StatusGoingAway, "Going away")
	}()
	expectFrames(t, p)
	if err := g.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if len(p.gone) != 1 || (<-p.gone).RequestContext.DisconnectStatusCode < 1000 {
		t.Error("not one $disconnect with a code")
	}
}

// expectFrames reads a server's frames until the end of the stream. It checks that a
// server may send each of them, and that none follows a close frame.
func expectFrames(t *testing.T, from io.Reader) {
	state := ws.StateClientSide
	closed := false
	for {
		frame, err := readFrame(from)
		if err != nil {
			return
		}
		if err := ws.CheckHeader(frame.Header, state); err != nil || closed {
			t.Errorf("server sent %v (%v), closed before: %v", frame.Header, err, closed)
		}
		if !frame.Header.OpCode.IsControl() {
			state = state.Set(ws.StateFragmented)
			if frame.Header.Fin {
				state = state.Clear(ws.StateFragmented)
			}
		}
		closed = frame.Header.OpCode == ws.OpClose
	}
}
