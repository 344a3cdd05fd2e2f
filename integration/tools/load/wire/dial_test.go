package wire

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func dialer(t *testing.T, address string, header http.Header) *Dialer {
	t.Helper()
	u, err := url.Parse("ws" + strings.TrimPrefix(address, "http"))
	if err != nil {
		t.Fatal(err)
	}
	return NewDialer(u, header, patience, codec, NewClock())
}

// serve starts a server whose clients leave by themselves.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func TestDial(t *testing.T) {
	var request *http.Request
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		request = r
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"second"}, InsecureSkipVerify: true})
		if err != nil {
			t.Error(err)
			return
		}
		_ = c.Write(r.Context(), websocket.MessageText, envelope(content(0)))
		_ = c.Close(websocket.StatusGoingAway, "enough")
	})
	header := http.Header{
		"Authorization":          {"Bearer abc"},
		"X-Several":              {"a", "b"},
		"Host":                   {"api.example.com"},
		"Sec-Websocket-Protocol": {"first, second"},
	}
	conn, err := dialer(t, server.URL+"/dev?room=7", header).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	received := 0
	end := conn.Receive(func(b *Batch) { received += len(b.Stamps) })
	conn.Close(end)
	var closed *CloseError
	if !errors.As(end, &closed) || closed.Code != 1001 || received != 1 {
		t.Errorf("received %d, %v", received, end)
	}
	if request.Host != "api.example.com" || request.URL.String() != "/dev?room=7" ||
		request.Header.Get("Authorization") != "Bearer abc" || len(request.Header.Values("X-Several")) != 2 ||
		request.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("the request was %v to %s with %v", request.URL, request.Host, request.Header)
	}
}

func TestDialRefused(t *testing.T) {
	closed := serve(t, nil)
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	tlsServer := httptest.NewUnstartedServer(nil)
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	defer tlsServer.Close()

	for name, test := range map[string]struct {
		ctx          context.Context
		url          string
		reason, more string
	}{
		"status": {t.Context(), serve(t, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "too many", http.StatusTooManyRequests)
		}).URL, "HTTP 429", "too many"},
		"no upgrade": {t.Context(), serve(t, func(http.ResponseWriter, *http.Request) {}).URL, "HTTP 200", ""},
		"hung up": {t.Context(), serve(t, func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}).URL, "closed during the handshake", ""},
		"nobody":      {t.Context(), closed.URL, "connection refused", ""},
		"no answer":   {short, "http://" + silent.Addr().String(), "timeout", ""},
		"certificate": {t.Context(), tlsServer.URL, "certificate not trusted", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dialer(t, test.url, nil).Dial(test.ctx)
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Reason != test.reason || !strings.Contains(err.Error(), test.more) {
				t.Errorf("got %v, want %s … %s", err, test.reason, test.more)
			}
		})
	}
}
