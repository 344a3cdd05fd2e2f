package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// fake is a service that fails on demand. It handles one request at a time. Its
// connections are numbered in the order in which they arrived.
type fake struct {
	url string
	faults

	mu       sync.Mutex
	conns    []*websocket.Conn
	attempts int
	contents map[int]json.RawMessage
}

// faults are what a fake does wrong; each may be nil.
type faults struct {
	refuse  func(connection int) bool            // answers the handshake 503
	reply   func(n int) string                   // in place of accepted; "" for no reply
	deliver func(n, connection int) []int        // the broadcasts that follow n
	before  func(n int)                          // is called when n has come
	after   func(n int, conns []*websocket.Conn) // and when it is dealt with
}

// serve runs a fake until the test is over.
func serve(t *testing.T, wrong faults) *fake {
	t.Helper()
	f := &fake{faults: wrong, contents: map[int]json.RawMessage{}}
	server := httptest.NewServer(f)
	f.url = "ws" + strings.TrimPrefix(server.URL, "http")
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, c := range f.conns {
			c.CloseNow()
		}
		server.Close()
	})
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := f.open(w, r)
	if c == nil {
		return
	}
	defer c.CloseNow()
	for {
		_, frame, err := c.Read(r.Context())
		if err != nil {
			return
		}
		f.handle(r.Context(), c, frame)
	}
}

func (f *fake) open(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempts++
	if f.refuse != nil && f.refuse(f.attempts-1) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return nil
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil
	}
	f.conns = append(f.conns, c)
	return c
}

// meanwhile is for the faults, during which nothing else is called.
func (f *fake) meanwhile(do func()) {
	f.mu.Unlock()
	defer f.mu.Lock()
	do()
}

func (f *fake) handle(ctx context.Context, c *websocket.Conn, frame []byte) {
	var request struct {
		Content json.RawMessage
		Ref     string
	}
	var content struct{ N int }
	if json.Unmarshal(frame, &request) != nil || json.Unmarshal(request.Content, &content) != nil {
		panic(fmt.Sprintf("%s is not a request", frame))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := content.N
	f.contents[n] = request.Content
	if f.before != nil {
		f.before(n)
	}
	reply := fmt.Sprintf(`{"accepted":{"id":"%d","ref":%q}}`, n, request.Ref)
	if f.reply != nil {
		reply = f.reply(n)
	}
	if reply != "" {
		_ = c.Write(ctx, websocket.MessageText, []byte(reply))
	}
	for i, one := range f.conns {
		f.send(ctx, one, n, i)
	}
	if f.after != nil {
		f.after(n, f.conns)
	}
}

func (f *fake) send(ctx context.Context, c *websocket.Conn, n, connection int) {
	numbers := []int{n}
	if f.deliver != nil {
		numbers = f.deliver(n, connection)
	}
	for _, number := range numbers {
		frame := fmt.Sprintf(`{"messages":[{"content":%s,"id":"%d","sentAt":"2026-11-22T09:00:00.000Z"}]}`, f.contents[number], number)
		_ = c.Write(ctx, websocket.MessageText, []byte(frame)) // it may have ended
	}
}
