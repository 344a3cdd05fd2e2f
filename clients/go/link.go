package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	backoffBase = 500 * time.Millisecond
	backoffCap  = 30 * time.Second
)

// link is an open connection and what only it knows.
type link struct {
	socket
	stop    context.CancelFunc
	frames  chan []byte // that have come
	out     chan []byte // to the goroutine that writes
	writes  [][]byte    // to send
	pending map[string]*asked

	live, answered bool // whether it has sent a resume, and got an answer
	keeps          bool // whether the service keeps messages, as far as is known

	resuming, again bool          // whether a resume is under way, and another is due
	failed          bool          // whether something is to be tried again
	repairs         int           // in a row
	told            time.Duration // the least wait before the next one, as the service wants it
	busy            bool          // whether that goes for any resume

	repair, keepAlive, renewal *timer // nil, or set
}

// channels returns those of the link with which step goes on.
func (l *link) channels() (frames <-chan []byte, writes chan<- []byte, next []byte) {
	if l == nil {
		return nil, nil, nil
	}
	next, writes = first(l.writes, l.out)
	return l.frames, writes, next
}

// connect starts to connect, with a token if the client has them.
func (c *Client) connect() {
	token := c.token
	c.background.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, c.Timeout)
		defer cancel()
		var err error
		if c.Token != nil && !usable(token) {
			token, err = c.Token(ctx)
		}
		var s socket
		if err == nil {
			s, err = c.dial(ctx, token)
		}
		if !c.post(func() { c.connected(s, token, err) }) && s != nil {
			s.Close()
		}
	})
}

func (c *Client) connected(s socket, token string, err error) {
	c.token = token
	if err != nil {
		c.reconnect(fmt.Errorf("connect: %w", err))
		return
	}
	ctx, stop := context.WithCancel(context.Background()) // Close needs it after Run's has ended
	l := &link{
		socket: s, stop: stop, frames: make(chan []byte), out: make(chan []byte),
		pending: make(map[string]*asked), keeps: true,
	}
	c.link = l
	c.background.Go(func() {
		err := l.read(ctx)
		c.post(func() { c.cut(l, err) })
	})
	c.background.Go(func() {
		err := l.write(ctx, c.Timeout)
		c.post(func() { c.cut(l, err) })
	})
	c.renewLater()
	c.joinAll()
}

func (l *link) read(ctx context.Context) error {
	for {
		frame, err := l.Read(ctx)
		if err != nil {
			return err
		}
		select {
		case l.frames <- frame:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *link) write(ctx context.Context, limit time.Duration) error {
	for {
		select {
		case frame := <-l.out:
			ctx, cancel := context.WithTimeout(ctx, limit)
			err := l.Write(ctx, frame)
			cancel()
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cut ends a link and connects again after a while.
func (c *Client) cut(l *link, err error) {
	if c.link != l {
		return
	}
	c.unlink()
	c.reconnect(err)
}

// unlink ends the link, on which no answer will come.
func (c *Client) unlink() {
	l := c.link
	c.link = nil
	l.stopTimers()
	for _, a := range l.pending {
		a.timer.stop()
	}
	c.sendAgain(l)
	c.forgetRooms()
	c.background.Go(func() {
		l.Close()
		l.stop()
	})
}

func (l *link) stopTimers() {
	for _, t := range []*timer{l.repair, l.keepAlive, l.renewal} {
		if t != nil {
			t.stop()
		}
	}
}

// reconnect connects after a random time, of which the limit doubles with each try.
func (c *Client) reconnect(err error) {
	if refusesToken(err) {
		c.token = ""
	}
	c.tell(err)
	limit := min(backoffCap, backoffBase<<min(c.tries, 10))
	c.tries++
	time.AfterFunc(time.Duration(c.random()*float64(limit)), func() { c.post(c.connect) })
}

// close ends the client.
func (c *Client) close() {
	if c.link != nil {
		c.unlink()
	}
	for _, s := range c.sends {
		s.finish("", s.unsent(ErrClosed))
	}
	c.sends = nil
}

// timer has Run call a function later, unless it was stopped by then.
type timer struct {
	*time.Timer
	stopped bool // belongs to Run
}

func (t *timer) stop() {
	t.stopped = true
	t.Stop()
}

// after has Run call a function later, unless the link has ended by then.
func (c *Client) after(wait time.Duration, do func()) *timer {
	l, t := c.link, new(timer)
	t.Timer = time.AfterFunc(wait, func() {
		c.post(func() {
			if c.link == l && !t.stopped {
				do()
			}
		})
	})
	return t
}

// refusedHandshake is how the service answers to a handshake that it does not accept.
type refusedHandshake struct {
	status int
	error
}

// refusesToken reports whether the next connection needs another token.
func refusesToken(err error) bool {
	var handshake *refusedHandshake
	if errors.As(err, &handshake) {
		return handshake.status == http.StatusUnauthorized || handshake.status == http.StatusForbidden
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code == "unauthenticated" || e.Code == "invalid_token" || e.Code == "forbidden"
	}
	code := websocket.CloseStatus(err)
	return code == websocket.StatusNormalClosure || code == websocket.StatusPolicyViolation
}
