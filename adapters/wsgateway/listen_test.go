package wsgateway

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
)

// slowToClose is a socket whose Close waits before it closes.
type slowToClose struct {
	net.Conn
	closing chan struct{} // gets a token for each Close
	goOn    chan struct{}
}

func (s slowToClose) Close() error {
	s.closing <- struct{}{}
	<-s.goOn
	return s.Conn.Close()
}

// A handshake that arrives while its socket is being closed, to make room, opens nothing: the
// connection would write to a descriptor that another client can have by then.
func TestHandshakeArrivesDuringEviction(t *testing.T) {
	connected := make(chan event, 1)
	g := newGateway(t, Config{Routes: map[string]Route{connectRoute: {Integration: record(connected)}}})
	client, server := net.Pipe()
	defer client.Close()
	sock := slowToClose{server, make(chan struct{}, 2), make(chan struct{})}
	if !g.begin() {
		t.Fatal("closed")
	}
	go g.handshake(sock)
	_, _ = io.WriteString(client, validHead[:10]) // returns when it has been read: the handshake is pending
	go g.pending.close()
	await(t, sock.closing)
	_, _ = io.WriteString(client, validHead[10:])
	select {
	case <-sock.closing: // by the handshake, too
	case <-connected:
		t.Error("connected")
	}
	close(sock.goOn)
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Clients that leave their refusals unread do not keep any number of sockets open.
func TestRefusedSocketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Config{})
		g.refusing.limit = 2
		var ends []net.Conn
		for range 3 {
			ends = append(ends, shake(g, "\x16"))
			synctest.Wait()
		}
		for i, want := range []string{"", "HTTP/1.1 400", "HTTP/1.1 400"} {
			if got, err := io.ReadAll(ends[i]); !strings.HasPrefix(string(got), want) || want == "" && len(got) > 0 || err != nil {
				t.Errorf("client %d got %q: %v", i, got, err)
			}
		}
		synctest.Wait()
		if g.refusing.used != 0 {
			t.Errorf("%d still count", g.refusing.used)
		}
	})
}
