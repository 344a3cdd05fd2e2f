package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	client "serverless-websocket/clients/go"
)

// crowd is a connection to a service that sends many messages at once, after its first
// answer, and answers requests.
type crowd struct {
	mu       sync.Mutex
	numbered bool
	messages int  // in the log
	sent     int  // of these
	live     bool // after its first answer
	answers  []string
	changed  chan bool
	closed   int // how often the client has closed it
}

func (s *crowd) name(n int) string { return fmt.Sprintf(`{"id":"m%d","seq":%d}`, n, n) }

// next returns what comes next.
func (s *crowd) next() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) > 0 {
		text := s.answers[0]
		s.answers = s.answers[1:]
		return text, true
	}
	if !s.live || s.sent == s.messages {
		return "", false
	}
	s.sent++
	if s.numbered {
		return `{"channel":"everyone","epoch":"k","messages":[` + s.name(s.sent) + `]}`, true
	}
	return fmt.Sprintf(`{"messages":[{"id":"m%d"}]}`, s.sent), true
}

// Read returns the next frame.
func (s *crowd) Read(ctx context.Context) ([]byte, error) {
	for {
		if text, ok := s.next(); ok {
			return []byte(text), nil
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Write answers a request, before any other message.
func (s *crowd) Write(_ context.Context, text []byte) error {
	var r struct {
		Action, Room, Ref string
		Positions         map[string]string
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := fmt.Sprintf(`{"accepted":{"id":"x","ref":%q}}`, r.Ref)
	switch r.Action {
	case "joinRoom":
		answer = fmt.Sprintf(`{"joined":{"room":%q,"position":"g.0","ref":%q}}`, r.Room, r.Ref)
	case "leaveRoom":
		answer = fmt.Sprintf(`{"left":{"room":%q,"ref":%q}}`, r.Room, r.Ref)
	case "resume":
		s.live = true
		if answer = fmt.Sprintf(`{"error":{"code":"no_history","ref":%q}}`, r.Ref); s.numbered {
			answer = fmt.Sprintf(`{"resumed":{"everyone":%s},"ref":%q}`, s.resumed(r.Positions["everyone"]), r.Ref)
		}
	}
	s.answers = append(s.answers, answer)
	select {
	case s.changed <- true:
	default:
	}
	return nil
}

// resumed answers with at most 300 messages.
func (s *crowd) resumed(position string) string {
	if position == "" {
		return `{"position":"k.0"}`
	}
	var from int
	_, _ = fmt.Sscanf(position, "k.%d", &from) // the client's own
	to, list := min(from+300, s.sent), ""
	for n := from + 1; n <= to; n++ {
		list += "," + s.name(n)
	}
	list = strings.TrimPrefix(list, ",")
	return fmt.Sprintf(`{"recovered":true,"position":"k.%d","more":%t,"messages":[%s]}`, to, to < s.sent, list)
}

// Close counts.
func (s *crowd) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
}

// follow runs a client of the service until it has nothing more to do.
func follow(t *testing.T, s *crowd, o client.Options, then func(*client.Client)) {
	s.changed = make(chan bool, 1)
	c := client.New(o)
	c.Scripted(func(context.Context, string) (client.Socket, error) { return s, nil }, 0.5)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	synctest.Wait()
	then(c)
	synctest.Wait()
	if s.closed > 0 {
		t.Errorf("the client closed %d connections", s.closed)
	}
	stop()
	<-ended
}

// A handler that waits for answers gets them, and later all messages, however many come.
func TestAnswersPassManyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &crowd{numbered: true, messages: 25_000}
		ready, seen := make(chan *client.Client, 1), 0
		follow(t, s, client.Options{OnMessage: func(e client.Event) {
			seen++
			if e.Message.Seq != int64(seen) {
				t.Fatalf("the event %d is %+v", seen, e)
			}
			if seen > 1 {
				return
			}
			c := <-ready
			if err := c.Join(t.Context(), "goals"); err != nil {
				t.Error(err)
			}
			if _, err := c.Send(t.Context(), client.Outgoing{Content: 1, Room: "goals"}); err != nil {
				t.Error(err)
			}
			time.Sleep(20 * time.Minute) // the connection is kept alive meanwhile
		}}, func(c *client.Client) {
			ready <- c
			time.Sleep(21 * time.Minute)
		})
		if seen != s.messages {
			t.Errorf("%d messages were handed on", seen)
		}
	})
}

// Without history, messages that find no place are dropped, and the user is told.
func TestTooManyMessagesWithoutHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock, seen := make(chan bool), 0
		var told []error
		follow(t, &crowd{messages: 25_000}, client.Options{
			OnMessage: func(client.Event) {
				<-unblock
				seen++
			},
			OnError: func(err error) { told = append(told, err) },
		}, func(*client.Client) { close(unblock) })
		if seen < 10_000 || seen > 10_010 {
			t.Errorf("%d messages were handed on", seen)
		}
		if len(told) != 1 || !errors.Is(told[0], client.ErrBehind) {
			t.Errorf("the user is told %v", told)
		}
	})
}

// OnError may call the client.
func TestJoinFromOnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var results []error
		var c *client.Client
		o := client.Options{OnMessage: func(client.Event) {}, OnError: func(error) {
			results = append(results, c.Join(t.Context(), "goals"), c.Leave(t.Context(), "goals"))
			_, err := c.Send(t.Context(), client.Outgoing{Content: 1})
			results = append(results, err)
		}}
		s, dials := &crowd{changed: make(chan bool, 1)}, 0
		c = client.New(o)
		c.Scripted(func(context.Context, string) (client.Socket, error) {
			if dials++; dials == 1 {
				return nil, errors.New("refused")
			}
			return s, nil
		}, 0.5)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		time.Sleep(time.Second)
		synctest.Wait()
		stop()
		<-ended
		if err := errors.Join(results...); len(results) != 3 || err != nil {
			t.Errorf("%d results, %v", len(results), err)
		}
	})
}
