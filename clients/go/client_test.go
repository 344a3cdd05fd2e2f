package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	client "serverless-websocket/clients/go"
)

// patience is how long a test waits for an expected event.
const patience = time.Minute

// serve starts a server, whose connections get handled, and returns its URL.
func serve(t *testing.T, handle func(*http.Request, *websocket.Conn)) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer bad" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		conn.SetReadLimit(1 << 20)
		handle(r, conn)
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// run runs a client until the test is over.
func run(t *testing.T, o client.Options) *client.Client {
	ctx, stop := context.WithCancel(context.Background())
	c, ended := client.New(o), make(chan error)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return c
}

// echo answers resumes, accepts messages and delivers them, one frame for each.
func echo(r *http.Request, conn *websocket.Conn) {
	for n := 1; ; n++ {
		_, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		var f struct {
			Action, Ref string
			Content     json.RawMessage
		}
		_ = json.Unmarshal(text, &f) // the client's own
		replies := []string{fmt.Sprintf(`{"error":{"code":"no_history","ref":%q}}`, f.Ref)}
		if f.Action == "sendMessage" {
			replies = []string{
				fmt.Sprintf(`{"messages":[{"id":"m%d","content":%s}]}`, n, f.Content),
				fmt.Sprintf(`{"accepted":{"id":"m%d","ref":%q}}`, n, f.Ref),
			}
		}
		for _, reply := range replies {
			_ = conn.Write(r.Context(), websocket.MessageText, []byte(reply)) // the next read fails as well
		}
	}
}

// A client over a real socket: a token that is refused and one that is not, and a message
// that is too large for one frame.
func TestOverASocket(t *testing.T) {
	tokens := []string{"bad", "good"}
	got := make(chan string, 1)
	c := run(t, client.Options{
		URL: serve(t, func(r *http.Request, conn *websocket.Conn) {
			if token := r.Header.Get("Authorization"); token != "Bearer good" {
				t.Errorf("the token is %s", token)
			}
			echo(r, conn)
		}),
		Token: func(context.Context) (token string, err error) {
			token, tokens = tokens[0], tokens[1:]
			return token, nil
		},
		OnMessage: func(e client.Event) { got <- string(e.Message.Content) },
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	large := strings.Repeat("<é>", 20_000)
	if id, err := c.Send(ctx, client.Outgoing{Content: large}); err != nil || id == "" {
		t.Fatalf("id %q, %v", id, err)
	}
	if content := <-got; content != `"`+large+`"` {
		t.Errorf("the message has %d bytes: %.80s", len(content), content)
	}
}

// OnMessage can send, also when many messages wait for it.
func TestSendFromOnMessage(t *testing.T) {
	const messages = 200
	ids := make(chan string, messages)
	var c *client.Client
	ready := make(chan bool)
	c = run(t, client.Options{
		URL: serve(t, echo),
		OnMessage: func(e client.Event) {
			<-ready
			if string(e.Message.Content) == `"answer"` {
				return
			}
			id, err := c.Send(context.Background(), client.Outgoing{Content: "answer"})
			if err != nil {
				id = err.Error()
			}
			ids <- id
		},
	})
	for range messages {
		if _, err := c.Send(t.Context(), client.Outgoing{Content: "question"}); err != nil {
			t.Fatal(err)
		}
	}
	close(ready)
	seen := map[string]bool{}
	for range messages {
		seen[<-ids] = true
	}
	if len(seen) != messages {
		t.Errorf("%d of %d answers were accepted", len(seen), messages)
	}
}

// A user who waits no longer is told that nothing was sent, and nothing is.
func TestSendGivenUp(t *testing.T) {
	c := run(t, client.Options{URL: "ws://127.0.0.1:1"})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := c.Send(ctx, client.Outgoing{Content: 1})
	if !errors.Is(err, client.ErrNotSent) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Send(t.Context(), client.Outgoing{Content: func() {}}); err == nil {
		t.Error("a function became JSON")
	}
	if _, err := c.Send(t.Context(), client.Outgoing{Content: 1, Ref: "a\xff"}); !errors.Is(err, client.ErrInvalidRef) {
		t.Errorf("with a ref that is not UTF-8: error %v", err)
	}
}
