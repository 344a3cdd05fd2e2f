package blackbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const (
	// patience is the time limit for expected events: long enough that even on a busy
	// machine only a hang exceeds it.
	patience     = time.Minute
	maxMessage   = 128 << 10
	maxFrame     = 32 << 10
	sendTemplate = `{"action":"sendMessage","content":`
)

// client is one WebSocket client. It is for one goroutine.
type client struct {
	t        testing.TB
	ws       *websocket.Conn
	tcp      *net.TCPConn
	messages []message            // read, but not yet taken
	seen     map[string]bool      // the ids that gets has returned
	code     websocket.StatusCode // with which the service closed; 0 before
}

type message struct {
	ID      string          `json:"id"`
	SentAt  time.Time       `json:"sentAt"`
	Sender  string          `json:"sender"`
	To      string          `json:"to"`
	Seq     int64           `json:"seq"` // 0 without history
	Content json.RawMessage `json:"content"`
	channel string          // of its frame; without history, empty for everyone
	epoch   string          // of its frame
}

type accepted struct{ ID, Ref string }

type refused struct {
	Code, Message, RequestID, Ref string
	RetryAfter                    int // s
}

// frame is anything that the service sends.
type frame struct {
	Accepted *accepted
	Error    *refused
	Messages []message
	Channel  string
	Epoch    string
	Joined   *struct{ Room, Position, Ref string }
	Resumed  map[string]answer // by channel
	Ref      string            // of Resumed
	Loaded   *loadedPage
}

func dial(t testing.TB, tg *target) *client {
	t.Helper()
	c, err := tryDial(t, tg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryDial(t testing.TB, tg *target) (*client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := &client{t: t}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			c.tcp, _ = conn.(*net.TCPConn)
			return conn, err
		},
	}
	var err error
	c.ws, _, err = websocket.Dial(ctx, tg.webSocketURL, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		return nil, err
	}
	c.ws.SetReadLimit(maxMessage)
	t.Cleanup(func() { c.ws.CloseNow() })
	return c, nil
}

// send sends text as one frame.
func (c *client) send(text string) {
	c.t.Helper()
	if err := c.trySend(text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) trySend(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, []byte(text))
}

// sendFragments sends text in frames of at most maxFrame bytes.
func (c *client) sendFragments(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w, err := c.ws.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for len(text) > 0 {
		n := min(len(text), maxFrame)
		if _, err := io.WriteString(w, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return w.Close()
}

// read returns the next frame unchanged.
func (c *client) read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, payload, err := c.ws.Read(ctx)
	if code := websocket.CloseStatus(err); code != -1 {
		c.code = code
	}
	if err == nil && kind != websocket.MessageText {
		err = errors.New("a binary frame")
	}
	return string(payload), err
}

func (c *client) readFrame() (frame, error) {
	var f frame
	text, err := c.read()
	if err == nil {
		err = f.parse(text)
	}
	return f, err
}

func (f *frame) parse(text string) error {
	err := json.Unmarshal([]byte(text), f)
	for i := range f.Messages {
		f.Messages[i].channel, f.Messages[i].epoch = f.Channel, f.Epoch
	}
	return err
}

// reply returns the next frame that is only for this client. Messages that arrive before
// it are kept.
func (c *client) reply() (frame, error) {
	for {
		f, err := c.readFrame()
		if err != nil || f.Messages == nil {
			return f, err
		}
		c.messages = append(c.messages, f.Messages...)
	}
}

// rawReply is reply without decoding it.
func (c *client) rawReply() (string, error) {
	for {
		text, err := c.read()
		if err != nil || !strings.HasPrefix(text, `{"messages":`) {
			return text, err
		}
		var f frame
		if err := f.parse(text); err != nil {
			return "", fmt.Errorf("%.80s: %w", text, err)
		}
		c.messages = append(c.messages, f.Messages...)
	}
}

// message returns the next message and skips replies.
func (c *client) message() (message, error) {
	for len(c.messages) == 0 {
		f, err := c.readFrame()
		if err != nil {
			return message{}, err
		}
		c.messages = f.Messages
	}
	next := c.messages[0]
	c.messages = c.messages[1:]
	return next, nil
}

// broadcast sends the content, a JSON value, and returns once it is accepted.
func (c *client) broadcast(content string) accepted {
	c.t.Helper()
	a, err := c.tryBroadcast(content)
	if err != nil {
		c.t.Fatalf("broadcast %.40s: %v", content, err)
	}
	return a
}

func (c *client) tryBroadcast(content string) (accepted, error) {
	if err := c.trySend(sendTemplate + content + "}"); err != nil {
		return accepted{}, err
	}
	f, err := c.reply()
	switch {
	case err != nil:
		return accepted{}, err
	case f.Accepted == nil:
		return accepted{}, fmt.Errorf("not accepted: %+v", f.Error)
	}
	return *f.Accepted, nil
}

// until returns the contents of the messages before the one with the last
// content.
func (c *client) until(last string) ([]string, error) {
	var contents []string
	for {
		m, err := c.message()
		if err != nil {
			return contents, err
		}
		if string(m.Content) == last {
			return contents, nil
		}
		contents = append(contents, string(m.Content))
	}
}

// awaitClose reads until the socket is closed and returns the close code.
func (c *client) awaitClose() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			if c.code == 0 {
				c.t.Fatalf("the socket ended without a close frame: %v", err)
			}
			return c.code
		}
	}
}

func quoted(n int) string { return `"` + strings.Repeat("x", n) + `"` }
