package client

import (
	"bytes"
	"cmp"
	"context"
	cryptorand "crypto/rand"
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
	// and after the service has refused one. It must return when its context ends, after
	// Timeout at the latest, and may call the client's methods. Without it the client does
	// not sign in.
	Token func(context.Context) (string, error)
	Rooms []string // to join from the beginning
	// OnMessage gets the messages of each channel in order, and word of lost ones. It is
	// called for one event at a time, and may call the client's methods. While it takes
	// long, 10,000 events wait. Those that follow stay in the service's log until half are
	// handled; without history they are dropped. OnError is told ErrBehind then.
	OnMessage func(Event)
	// OnError is told what goes wrong: connections that end or fail, a room or a token that
	// is refused. The client goes on. It is called for one error at a time, also while
	// OnMessage runs, and may call the client's methods. While it takes long, 100 errors
	// wait, and others are dropped. Optional.
	OnError func(error)

	MaxSends   int           // how many messages can wait to be sent or answered; 100
	Timeout    time.Duration // for the answer to a request, and for a handshake; 30 s, at most 10 minutes
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
	events []Event // for OnMessage
	behind bool    // whether messages were not taken, because too many events wait
	errors []error // for OnError
	rooms  map[string]*room
	sends  []*send        // that wait for the connection
	taken  map[*send]bool // of MaxSends: those that wait to be sent or answered
	link   *link          // nil between connections
	tries  int            // connections in a row that did not live long
	token  string         // that the service has not refused; empty: ask for one
	tag    string         // begins all refs
	refs   int

	doubted bool // whether the last token was given up, and no resume was answered since
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
		inbox: NewInbox(), rooms: make(map[string]*room), taken: make(map[*send]bool), tag: cryptorand.Text() + "-",
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
	// Ref names the message, to send it again later: 1 to 128 bytes of UTF-8 without U+FFFD,
	// which no other message of the user has within 15 minutes. Make it random, and keep it
	// with the message. Empty, the client makes one.
	Ref string
	// Again says that the message was sent before under this Ref, and may have been accepted.
	// A service with history delivers it once if that was within 15 minutes. One without
	// history refuses it as no_history, and from a client without Token as unauthenticated.
	Again bool
}

// Errors of Send beside those of the service, which are *Error too.
var (
	ErrFull       = &Error{Code: "full", Message: "too many messages wait to be sent"}
	ErrNotSent    = &Error{Code: "not_sent", Message: "the message was not sent in time"}
	ErrUnanswered = &Error{Code: "unanswered", Message: "no answer came: the message may have been accepted"}
	ErrClosed     = &Error{Code: "closed", Message: "the client is closed"}

	ErrInvalidRef   = &Error{Code: "invalid_ref", Message: "a ref has 1 to 128 bytes of UTF-8, without U+FFFD"}
	ErrInvalidAgain = &Error{Code: "invalid_again", Message: "a message that is sent again has the ref it had before"}
	ErrRefInUse     = &Error{Code: "ref_in_use", Message: "a message with this ref waits to be sent or answered"}
)

// ErrBehind is told to OnError when too many events wait for OnMessage.
var ErrBehind = &Error{Code: "behind", Message: "OnMessage takes too long: messages wait, or are lost without history"}

// Send sends a message and returns its id once the service has accepted it. It waits for a
// connection if there is none. If the connection ends before the answer, a client that has
// Token sends the message again on the next one, and a service with history delivers it
// once; the id may then be one that never arrives. After ErrUnanswered, and the service's
// unavailable, the message may reach its recipients or not: send it with the same Ref and
// Again. After all other errors it does not, but with Again they say nothing of tries before.
func (c *Client) Send(ctx context.Context, m Outgoing) (id string, err error) {
	if err := m.check(); err != nil {
		return "", err
	}
	content, err := encode(m.Content)
	if err != nil {
		return "", err
	}
	s := &send{
		request: request{Action: "sendMessage", Content: content, To: m.To, Room: m.Room, Ref: m.Ref, Again: m.Again},
		result:  make(chan sent, 1),
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
// answered. If ctx ends before, or the answer is unauthenticated and Token is set, the
// client still tries after each reconnect, until Leave.
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
