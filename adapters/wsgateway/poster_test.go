package wsgateway

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestPoster(t *testing.T) {
	porttest.TestPoster(t, func(t *testing.T) porttest.PosterHarness {
		s := serve(t, Config{})
		was := s.dial(t)
		was.Close(websocket.StatusNormalClosure, "")
		await(t, s.gone)
		return porttest.PosterHarness{
			Poster:  s,
			Closed:  domain.ConnectionID(was.id),
			Unknown: domain.ConnectionID(newShortID()),
			Open: func(t *testing.T) (domain.ConnectionID, func() []byte) {
				c := s.dial(t)
				return domain.ConnectionID(c.id), c.recv
			},
		}
	})
}

// dialDeaf opens a connection whose client has a small buffer and reads nothing.
func (s *server) dialDeaf(t *testing.T) *rawClient {
	t.Helper()
	c := s.dialRaw(t)
	if err := c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEmptyPostIsAnEmptyMessage(t *testing.T) {
	s := serve(t, Config{})
	c := s.dial(t)
	s.post(t, c.id, "")
	c.expect("")
}

func TestPrepareRefusesWhatClientsCannotTake(t *testing.T) {
	g := newGateway(t, Config{MessageLimit: 100})
	if _, err := g.Prepare(make([]byte, 100)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := g.Prepare(make([]byte, 101)); !errors.Is(err, ports.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := g.Prepare([]byte("\xff")); err == nil {
		t.Error("not UTF-8: no error")
	}
}

// Messages over the frame limit are sent in frames of exactly that size, plus the rest.
func TestOutgoingFragmentation(t *testing.T) {
	s := serve(t, Config{FrameLimit: 10})
	for length, want := range map[int][]int{0: {0}, 9: {9}, 10: {10}, 11: {10, 1}, 20: {10, 10}, 25: {10, 10, 5}} {
		c := s.dialRaw(t)
		payload := strings.Repeat("ab", length)[:length]
		s.post(t, c.id, payload)
		var got string
		for i, size := range want {
			header, part := c.read()
			if len(part) != size || header.Fin != (i == len(want)-1) || (header.OpCode == 0) != (i > 0) {
				t.Errorf("message of %d bytes: frame %d is %v with %d bytes", length, i, header, len(part))
			}
			got += string(part)
		}
		if got != payload {
			t.Errorf("message of %d bytes: got %q", length, got)
		}
	}
}
