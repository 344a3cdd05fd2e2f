package client_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"sync"
	"testing"
	"time"

	client "serverless-websocket/clients/go"
)

// script plays the service, the user and the provider of tokens.
type script struct {
	t      *testing.T
	client *client.Client
	stop   context.CancelFunc
	tokens map[string]string // by their names

	mu      sync.Mutex      // guards the rest
	next    []string        // names of tokens to hand out
	dials   []dial          // that the client waits for
	socket  *scriptedSocket // the latest
	refs    map[string]string
	seen    []string // by the user
	told    []error
	results map[string]string // of what the user does
}

type dial struct {
	token  string
	result chan<- dialed
}

type dialed struct {
	socket client.Socket
	err    error
}

func newScript(t *testing.T, b behaviour) *script {
	ctx, stop := context.WithCancel(t.Context())
	s := &script{t: t, stop: stop, tokens: map[string]string{}, refs: map[string]string{}, results: map[string]string{}}
	o := client.Options{Rooms: b.Rooms, MaxSends: b.MaxSends, OnMessage: s.see, OnError: s.tell}
	if b.Tokens != nil {
		o.Token = s.token
	}
	lives := map[string]any{}
	for _, pair := range b.Tokens {
		name := pair[0].(string)
		s.next, lives[name] = append(s.next, name), pair[1]
	}
	for name, life := range lives {
		s.tokens[name] = jwt(name, life)
	}
	random := 0.5
	if b.Random != nil {
		random = *b.Random
	}
	s.client = client.New(o)
	s.client.Scripted(s.dial, random)
	go func() { _ = s.client.Run(ctx) }() // the error is that of ctx
	return s
}

// jwt returns a token that lives for so many seconds.
func jwt(name string, life any) string {
	seconds, ok := life.(float64)
	if !ok {
		return name
	}
	claims := fmt.Sprintf(`{"sub":%q,"exp":%d}`, name, time.Now().Add(time.Duration(seconds)*time.Second).Unix())
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
}

// token hands out the next token. An empty name stands for a failure.
func (s *script) token(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next) == 0 {
		s.t.Error("the client asks for one token too many")
		return "", io.EOF
	}
	name := s.next[0]
	s.next = s.next[1:]
	if name == "" {
		return "", &client.Error{Code: "no_token"}
	}
	return s.tokens[name], nil
}

func (s *script) tell(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, err)
}

func (s *script) see(e client.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Lost != "" {
		s.seen = append(s.seen, e.Channel+" lost "+e.Lost)
	} else {
		s.seen = append(s.seen, e.Channel+" "+e.Message.ID)
	}
}

func (s *script) dial(ctx context.Context, token string) (client.Socket, error) {
	result := make(chan dialed)
	s.mu.Lock()
	s.dials = append(s.dials, dial{token, result})
	s.mu.Unlock()
	select {
	case r := <-result:
		return r.socket, r.err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dials = nil
		return nil, ctx.Err()
	}
}

var ref = regexp.MustCompile(`"\$\w+"`)

// filledIn replaces the names of refs.
func (s *script) filledIn(text string) string {
	return ref.ReplaceAllStringFunc(text, func(name string) string { return `"` + s.refs[name[1:len(name)-1]] + `"` })
}

// scriptedSocket is a connection to the script.
type scriptedSocket struct {
	*script
	in      chan []byte
	end     chan error // how the service closes it
	cut     bool
	written []string
	closed  bool // by the client
}

// Read returns the next frame of the script.
func (s *scriptedSocket) Read(ctx context.Context) ([]byte, error) {
	select {
	case text := <-s.in:
		return text, nil
	case err := <-s.end:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write keeps a frame for the script.
func (s *scriptedSocket) Write(_ context.Context, text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = append(s.written, string(text))
	return nil
}

// Close tells the script, unless it has closed the connection itself.
func (s *scriptedSocket) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.cut {
		s.closed = true
	}
}
