package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Options say where to connect and who gets the messages.
type Options struct {
	URL string // ws://… or wss://…
	// Token returns a token of the user. It is called to connect, before the token expires,
	// and after the service has refused one. Without it the client does not sign in.
	Token func(context.Context) (string, error)
	Rooms []string // to join from the beginning
	// OnMessage gets the messages of each channel in order, and word of lost ones. It is
	// called for one event at a time. While it takes long, others wait, and the client
	// stops to read.
	OnMessage func(Event)
	// OnError is told what goes wrong: connections that end or fail, a room or a token that
	// is refused. The client goes on. It must not block. Optional.
	OnError func(error)

	MaxSends   int           // how many messages can wait to be sent or answered; 100
	Timeout    time.Duration // for the answer to a request, and for a handshake; 30 s
	HTTPClient *http.Client  // for the handshake; the default client
}

// Client is a connection that comes back: it joins its rooms again and gets what it has
// missed. Its methods are safe for concurrent use. Those that wait need Run.
type Client struct {
	Options
	dial    func(ctx context.Context, token string) (socket, error)
	random  func() float64
	mailbox chan func() // run by Run, one at a time
	ended   chan struct{}

	background sync.WaitGroup // of goroutines that Run waits for

	// The rest belongs to Run.
	ctx    context.Context
	inbox  *Inbox
	events []Event // to hand on
	rooms  map[string]*room
	sends  []*send // that wait for the connection
	taken  int     // of MaxSends
	link   *link   // nil between connections
	tries  int     // connections in a row without an answer
	token  string  // that the service has not refused; empty: ask for one
	refs   int
}

// New returns a client that Run connects.
func New(o Options) *Client {
	o.MaxSends = cmp.Or(o.MaxSends, 100)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	c := &Client{
		Options: o, random: rand.Float64, mailbox: make(chan func()), ended: make(chan struct{}),
		inbox: NewInbox(), rooms: make(map[string]*room),
	}
	c.dial = c.dialWebSocket
	for _, name := range o.Rooms {
		c.rooms[name] = &room{wanted: true}
	}
	return c
}

// Outgoing is a message to send: to everyone, or to a user or a room.
type Outgoing struct {
	Content  any // becomes JSON
	To, Room string
}

// Errors of Send beside those of the service, which are *Error too.
var (
	ErrFull       = &Error{Code: "full", Message: "too many messages wait to be sent"}
	ErrNotSent    = &Error{Code: "not_sent", Message: "the message was not sent in time"}
	ErrUnanswered = &Error{Code: "unanswered", Message: "no answer came: the message may have been accepted"}
	ErrClosed     = &Error{Code: "closed", Message: "the client is closed"}
)

// Send sends a message and returns its id once the service has accepted it. It waits for a
// connection if there is none. After ErrUnanswered, the message may reach its recipients or
// not; after all other errors but the service's unavailable it does not.
func (c *Client) Send(ctx context.Context, m Outgoing) (id string, err error) {
	content, err := encode(m.Content)
	if err != nil {
		return "", err
	}
	s := &send{
		request: request{Action: "sendMessage", Content: content, To: m.To, Room: m.Room}, result: make(chan sent, 1),
	}
	if err := c.do(ctx, func() { c.enqueue(s) }); err != nil {
		return "", err
	}
	select {
	case <-ctx.Done():
		c.post(func() { c.giveUp(s) })
	case r := <-s.result:
		return r.id, r.err
	}
	r := <-s.result
	return r.id, r.err
}

// encode returns the JSON of a content, without escapes that it does not need.
func encode(content any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(content)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Join joins a room, now and after each reconnect, and returns when the service has
// answered. If ctx ends before, the client still tries, until Leave.
func (c *Client) Join(ctx context.Context, name string) error { return c.want(ctx, name, true) }

// Leave leaves a room. Nothing more of it is handed on, but for events that wait already.
func (c *Client) Leave(ctx context.Context, name string) error { return c.want(ctx, name, false) }

func (c *Client) want(ctx context.Context, name string, wanted bool) error {
	result := make(chan error, 1)
	if err := c.do(ctx, func() { c.change(name, wanted, func(err error) { result <- err }) }); err != nil {
		return err
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ended:
		return ErrClosed
	}
}

// Run connects, and again whenever the connection has ended, until ctx ends. Then it
// closes the connection and returns the error of ctx. It can be called once.
func (c *Client) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.ctx = ctx
	out, handled := make(chan Event), make(chan struct{})
	go func() {
		defer close(handled)
		for e := range out {
			c.OnMessage(e)
		}
	}()
	c.connect()
	for c.step(out) {
	}
	c.close()
	close(c.ended)
	close(out)
	<-handled
	c.background.Wait()
	return ctx.Err()
}

// maxEvents is how many events can wait for OnMessage before the client stops to read.
const maxEvents = 1_000

// step does the next thing that there is to do, and reports whether to go on.
func (c *Client) step(out chan<- Event) bool {
	var next Event
	if len(c.events) > 0 {
		next = c.events[0]
	} else {
		out = nil
	}
	frames, writes, frame := c.link.channels(len(c.events) < maxEvents)
	select {
	case <-c.ctx.Done():
		return false
	case do := <-c.mailbox:
		do()
	case out <- next:
		c.events = c.events[1:]
	case writes <- frame:
		c.link.writes = c.link.writes[1:]
	case text := <-frames:
		c.receive(text)
	}
	return true
}

// post has Run call a function, unless Run has ended.
func (c *Client) post(do func()) bool {
	select {
	case c.mailbox <- do:
		return true
	case <-c.ended:
		return false
	}
}

// do has Run call a function for a user who waits.
func (c *Client) do(ctx context.Context, do func()) error {
	select {
	case c.mailbox <- do:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ended:
		return ErrClosed
	}
}
