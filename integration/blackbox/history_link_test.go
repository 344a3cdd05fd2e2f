package blackbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	clients "serverless-websocket/clients/go"
)

// link is a connection of a follower.
type link struct {
	c      *client
	frames chan string // closed when the connection has ended
	isCut  atomic.Bool
	last   int // it is cut after so many requests; 0: it is not
}

// cut ends the connection without a word.
func (l *link) cut() {
	l.isCut.Store(true)
	l.c.ws.CloseNow()
}

// drain waits for the end, and loses what has not been read.
func (l *link) drain() {
	for range l.frames {
	}
}

func (f *follower) dial() error {
	var c *client
	err := errEnded
	for range maxTries {
		if c, err = tryDial(f.t, f.at); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	f.link = &link{c: c, frames: make(chan string, 16)}
	go f.link.read()
	return nil
}

func (l *link) read() {
	defer close(l.frames)
	for {
		text, err := l.c.read()
		if err != nil {
			return
		}
		l.frames <- text
	}
}

var (
	errTick  = errors.New("it is time")
	errEnded = errors.New("the connection has ended")
)

// reply is a frame other than messages.
type reply struct {
	Accepted *accepted
	Joined   *struct{ Position string }
	Resumed  map[string]clients.Answer
	Error    *refused
}

// ask sends a frame until it is answered by more than "try again later". Meanwhile messages
// are received.
func (f *follower) ask(text string) (got reply, err error) {
	for range maxTries {
		if got, err = f.askOnce(text); err != nil || got.Error == nil || got.Error.Code != "unavailable" {
			break
		}
	}
	return got, err
}

const maxTries = 100

func (f *follower) askOnce(text string) (reply, error) {
	if err := f.link.c.trySend(text); err != nil {
		return reply{}, err
	}
	if f.link.last--; f.link.last == 0 {
		f.link.cut()
	}
	for {
		got, err := f.receive(nil)
		if err != nil || got != nil {
			return deref(got), err
		}
	}
}

func deref(r *reply) reply {
	if r == nil {
		return reply{}
	}
	return *r
}

// next receives messages, or returns errTick when tick does.
func (f *follower) next(tick <-chan time.Time) error {
	got, err := f.receive(tick)
	if got != nil {
		return fmt.Errorf("a reply without a request: %+v", got)
	}
	return err
}

// listen receives messages for a while.
func (f *follower) listen(d time.Duration) error {
	tick := time.After(d)
	for {
		if err := f.next(tick); err != nil {
			if err == errTick {
				return nil
			}
			return err
		}
	}
}

// receive takes one frame. It returns a reply, and hands messages on.
func (f *follower) receive(tick <-chan time.Time) (*reply, error) {
	var text string
	open := true
	select {
	case <-tick:
		return nil, errTick
	case text, open = <-f.link.frames:
	}
	if !open {
		return nil, errEnded
	}
	var got struct {
		reply
		clients.Frame
	}
	switch err := json.Unmarshal([]byte(text), &got); {
	case err != nil:
		return nil, fmt.Errorf("%.80s: %w", text, err)
	case got.Messages != nil:
		return nil, f.take(f.inbox.Receive(got.Frame))
	}
	return &got.reply, nil
}
