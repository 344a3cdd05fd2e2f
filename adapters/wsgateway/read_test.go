package wsgateway

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
)

func TestViolations(t *testing.T) {
	unmasked := func(f ws.Frame) []byte { return ws.MustCompileFrame(f) }
	masked := func(f ws.Frame) []byte { return ws.MustCompileFrame(ws.MaskFrame(f)) }
	reserved := text(true, "x")
	reserved.Header.Rsv = 4
	for name, test := range map[string]struct {
		wire []byte
		code ws.StatusCode
	}{
		"binary":                     {masked(ws.NewBinaryFrame([]byte("x"))), 1003},
		"empty binary":               {masked(ws.NewBinaryFrame(nil)), 1003},
		"frame too long":             {masked(text(true, letters(101))), 1009},
		"first part too long":        {masked(text(false, letters(101))), 1009},
		"message too long":           {append(append(masked(text(false, letters(100))), masked(continuation(false, letters(100)))...), masked(continuation(true, "x"))...), 1009},
		"not UTF-8":                  {masked(text(true, "a\xff")), 1007},
		"character cut off":          {masked(text(true, "한"[:2])), 1007},
		"not UTF-8 in the second":    {append(masked(text(false, "한"[:2])), masked(continuation(true, "x"))...), 1007},
		"unmasked":                   {unmasked(text(true, "x")), 1002},
		"reserved bit":               {masked(reserved), 1002},
		"reserved opcode":            {masked(ws.NewFrame(3, true, nil)), 1002},
		"reserved control":           {masked(ws.NewFrame(11, true, nil)), 1002},
		"continuation of nothing":    {masked(continuation(true, "x")), 1002},
		"message within a message":   {append(masked(text(false, "x")), masked(text(true, "y"))...), 1002},
		"fragmented ping":            {masked(ws.NewFrame(ws.OpPing, false, nil)), 1002},
		"long ping":                  {masked(ws.NewPingFrame([]byte(letters(126)))), 1002},
		"close with one byte":        {masked(ws.NewCloseFrame([]byte{3})), 1002},
		"close with a reserved code": {masked(closing(1005, "")), 1002},
		"close with a wrong code":    {masked(closing(999, "")), 1002},
		"close with a code too high": {masked(closing(5000, "")), 1002},
		"close with a bad reason":    {masked(closing(1000, "\xff")), 1002},
		"length over 63 bits":        {append([]byte{0x81, 0xff}, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4), 1002},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Config{FrameLimit: 100, MessageLimit: 200, Routes: echoing()})
			c := s.dialRaw(t)
			if _, err := c.Conn.Write(test.wire); err != nil {
				t.Fatal(err)
			}
			c.expectClose(test.code)
			c.write(closing(test.code, ""))
			got := await(t, s.gone).RequestContext
			if got.DisconnectStatusCode != int64(test.code) || *got.DisconnectReason == "" {
				t.Errorf("$disconnect with %d %q", got.DisconnectStatusCode, *got.DisconnectReason)
			}
		})
	}
}

// Both ends of every range of close codes in RFC 6455, 7.4.
func TestCloseCodesThatClientsMaySend(t *testing.T) {
	for code, want := range map[ws.StatusCode]bool{
		0: false, 999: false, 1000: true, 1003: true, 1004: false, 1006: false, 1007: true, 1014: true, 1015: false,
		1016: false, 2999: false, 3000: true, 4999: true, 5000: false, 65535: false,
	} {
		var got closeFrame
		err := parseClose(ws.NewCloseFrameBody(code, "why"))
		if errors.As(err, &got) != want || want && got != (closeFrame{code, "why"}) || !want && err != errClosePayload {
			t.Errorf("%d: %#v", code, err)
		}
	}
}

func TestLimitsAreInclusive(t *testing.T) {
	s := serve(t, Config{FrameLimit: 100, MessageLimit: 200, Routes: echoing()})
	c := s.dialRaw(t)
	c.write(text(true, letters(100)), text(false, letters(100)), continuation(true, letters(100)))
	for _, want := range []struct {
		size int
		fin  bool
	}{{100, true}, {100, false}, {100, true}} {
		if header, payload := c.read(); len(payload) != want.size || header.Fin != want.fin {
			t.Fatalf("got frame %v with %d bytes", header, len(payload))
		}
	}
}

func TestFragmentsWithPingBetween(t *testing.T) {
	s := serve(t, Config{Routes: echoing()})
	c := s.dialRaw(t)
	c.write(text(false, "한"[:1]), ws.NewPingFrame([]byte("ping")), continuation(false, ""), continuation(true, "한"[1:]))
	if header, payload := c.read(); header.OpCode != ws.OpPong || string(payload) != "ping" {
		t.Fatalf("got %v %q", header, payload)
	}
	if _, payload := c.read(); string(payload) != "한" {
		t.Fatalf("got %q", payload)
	}
}

func TestFullSizeMessage(t *testing.T) {
	s := serve(t, Config{Routes: echoing()})
	c := s.dialRaw(t)
	part := letters(32 << 10)
	c.write(text(false, part), continuation(false, part), continuation(false, part), continuation(true, part))
	for i := range 4 {
		if header, payload := c.read(); string(payload) != part || header.Fin != (i == 3) {
			t.Fatalf("frame %d: %v with %d bytes", i, header, len(payload))
		}
	}
}

func TestPeersCloseIsEchoed(t *testing.T) {
	s := serve(t, Config{})
	for _, test := range []struct {
		frame  ws.Frame
		code   ws.StatusCode
		reason string
	}{
		{closing(1000, "done"), 1000, "done"},
		{closing(4321, "안녕"), 4321, "안녕"},
		{ws.NewCloseFrame(nil), 1005, "Client-side close frame status not set"},
	} {
		c := s.dialRaw(t)
		c.write(test.frame)
		header, payload := c.read()
		if header.OpCode != ws.OpClose || string(payload) != string(test.frame.Payload) {
			t.Fatalf("answer to %q: %v %q", test.frame.Payload, header, payload)
		}
		s.expectGone(t, test.code, test.reason)
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Fatal("more after the close frame")
		}
	}
}

func TestAbruptLoss(t *testing.T) {
	s := serve(t, Config{Routes: echoing()})
	for name, lose := range map[string]func(*rawClient){
		"closed":          func(c *rawClient) { c.Close() },
		"reset":           func(c *rawClient) { c.Conn.(*net.TCPConn).SetLinger(0); c.Close() },
		"in a header":     func(c *rawClient) { c.Conn.Write([]byte{0x81}); c.Close() },
		"in a payload":    func(c *rawClient) { c.Conn.Write([]byte{0x81, 0x85, 1, 2, 3, 4, 'x'}); c.Close() },
		"between frames":  func(c *rawClient) { c.write(text(false, "x")); c.Close() },
		"after a message": func(c *rawClient) { c.write(text(true, "x")); c.read(); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			lose(s.dialRaw(t))
			s.expectGone(t, lost.code, lost.reason)
		})
	}
}

// A frame that arrives in one packet with the handshake is not lost.
func TestFrameRightAfterTheHandshake(t *testing.T) {
	s := serve(t, Config{Routes: echoing()})
	sock, err := net.Dial("tcp", strings.TrimPrefix(s.url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	request := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	early := strings.Repeat("early", 200)
	if _, err := sock.Write(append([]byte(request), ws.MustCompileFrame(ws.MaskFrame(text(true, early)))...)); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(sock)
	for line := "x"; line != "\r\n"; {
		if line, err = from.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if frame, err := readFrame(from); err != nil || string(frame.Payload) != early {
		t.Fatalf("got %q: %v", frame.Payload, err)
	}
}

func TestServerClosesOnce(t *testing.T) {
	s := serve(t, Config{})
	c := s.dial(t)
	first := s.find(idOf(c))
	first.startClose(1000, "first")
	first.startClose(1001, "second")
	c.expectClose(websocket.StatusNormalClosure, "first")
	s.expectGone(t, 1000, "first")
	if len(s.gone) != 0 {
		t.Error("second $disconnect")
	}
	if err := s.tryPost(t, c.id, "x"); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("post: %v", err)
	}
}
