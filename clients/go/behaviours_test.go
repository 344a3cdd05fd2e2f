package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	client "serverless-websocket/clients/go"
)

// behaviour is one of ../behaviours.json, which clients/README.md explains.
type behaviour struct {
	Name     string
	Rooms    []string
	Tokens   [][2]any // names and lifetimes in seconds; null: it does not say
	MaxSends int
	Random   *float64
	Steps    []step
}

// step has one member, and what that needs.
type step struct {
	Connects json.RawMessage // the token's name, or null
	Hangs    bool
	Fails    *int
	Token    string
	Sends    map[string]any
	Gets     json.RawMessage
	Garbled  string
	Wait     float64
	Cut      int
	Closes   bool
	Sees     []string
	User     *struct {
		Join, Leave string
		Send        *client.Outgoing
		Close       bool
	}
	As   string
	Ends map[string]string
	Told *string
}

func TestBehaviours(t *testing.T) {
	text, err := os.ReadFile("../behaviours.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []behaviour
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		t.Run(b.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(t, b)
				for i, one := range b.Steps {
					synctest.Wait()
					s.do(one)
					if t.Failed() {
						t.Fatalf("at step %d: %+v", i+1, one)
					}
				}
				synctest.Wait()
				s.do(step{Wait: 0.001})
				s.stop()
				synctest.Wait()
			})
		})
	}
}

// do takes a step.
func (s *script) do(one step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case one.Connects != nil:
		var name string
		_ = json.Unmarshal(one.Connects, &name) // null: none
		s.connects(name)
	case one.Hangs:
		s.dialed(one.Token)
	case one.Fails != nil:
		s.fails(*one.Fails, one.Token)
	case one.Sends != nil:
		s.sends(one.Sends)
	case one.Gets != nil:
		s.socket.in <- []byte(s.filledIn(string(one.Gets)))
	case one.Garbled != "":
		s.socket.in <- []byte(one.Garbled)
	case one.Wait != 0:
		s.nothingElse()
		s.mu.Unlock()
		time.Sleep(time.Duration(one.Wait * float64(time.Second)))
		s.mu.Lock()
	case one.Cut != 0:
		s.socket.cut = true
		s.socket.end <- websocket.CloseError{Code: websocket.StatusCode(one.Cut)}
	case one.Closes:
		if !s.socket.closed {
			s.t.Error("the client does not close")
		}
		s.socket.closed = false
	case one.Sees != nil:
		s.sees(one.Sees)
	case one.User != nil:
		s.user(one)
	case one.Ends != nil:
		s.ends(one.Ends)
	case one.Told != nil:
		s.isTold(*one.Told)
	}
}

// nothingElse checks that the client has done nothing that no step has mentioned.
func (s *script) nothingElse() {
	s.t.Helper()
	if len(s.dials) > 0 {
		s.t.Error("the client connects")
	}
	if s.socket != nil && len(s.socket.written) > 0 {
		s.t.Errorf("the client sends %s", s.socket.written)
	}
	if s.socket != nil && s.socket.closed {
		s.t.Error("the client closes")
	}
	if len(s.seen) > 0 {
		s.t.Errorf("the user sees %q", s.seen)
	}
	for as, result := range s.results {
		s.t.Errorf("%s ends with %s", as, result)
	}
}

func (s *script) connects(name string) {
	if dial := s.dialed(name); dial != nil {
		s.socket = &scriptedSocket{script: s, in: make(chan []byte), end: make(chan error, 1)}
		dial <- dialed{socket: s.socket}
	}
}

func (s *script) fails(status int, name string) {
	if dial := s.dialed(name); dial != nil {
		err := errors.New("refused by the script")
		if status != 0 {
			err = client.HandshakeError(status, err)
		}
		dial <- dialed{err: err}
	}
}

// dialed returns where the result of the client's handshake goes.
func (s *script) dialed(name string) chan<- dialed {
	if len(s.dials) == 0 {
		s.t.Error("the client does not connect")
		return nil
	}
	one := s.dials[0]
	s.dials = s.dials[1:]
	if one.token != s.tokens[name] {
		s.t.Errorf("the token is %q, not %s", one.token, name)
	}
	return one.result
}

// sends checks the next frame. A ref that the client chooses gets a name, which begins with
// $. What it sends again has the ref of that name. Others are the user's.
func (s *script) sends(want map[string]any) {
	if len(s.socket.written) == 0 {
		s.t.Error("the client sends nothing")
		return
	}
	text := s.socket.written[0]
	s.socket.written = s.socket.written[1:]
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		s.t.Error(err)
	}
	if name := want["ref"].(string); strings.HasPrefix(name, "$") {
		s.named(name, got)
	}
	if token, ok := want["token"].(string); ok {
		want["token"] = s.tokens[token]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("the client sends (-want +got)\n%s", diff)
	}
}

// named gives the ref of a frame a name.
func (s *script) named(name string, frame map[string]any) {
	ref, _ := frame["ref"].(string)
	if before := s.refs[name]; frame["again"] == true && ref != before {
		s.t.Errorf("the client sends again %s, not %s", ref, before)
	}
	s.refs[name] = ref
	frame["ref"] = name
}

func (s *script) sees(want []string) {
	if !slices.Equal(s.seen, want) {
		s.t.Errorf("the user sees %q, want %q", s.seen, want)
	}
	s.seen = nil
}

func (s *script) user(one step) {
	switch u, ctx := one.User, context.Background(); {
	case u.Close:
		s.stop()
	case u.Join != "":
		go func() { s.ended(one.As, "ok", s.client.Join(ctx, u.Join)) }()
	case u.Leave != "":
		go func() { s.ended(one.As, "ok", s.client.Leave(ctx, u.Leave)) }()
	default:
		go func() {
			id, err := s.client.Send(ctx, *u.Send)
			s.ended(one.As, id, err)
		}()
	}
}

// ended notes what has become of what the user did.
func (s *script) ended(as, result string, err error) {
	var e *client.Error
	if errors.As(err, &e) {
		result = e.Code
		if e.RetryAfter > 0 {
			result = fmt.Sprint(e.Code, " ", e.RetryAfter)
		}
	} else if err != nil {
		result = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results[as] = result
}

func (s *script) ends(want map[string]string) {
	for as, result := range want {
		if s.results[as] != result {
			s.t.Errorf("%s ends with %q, want %q", as, s.results[as], result)
		}
		delete(s.results, as)
	}
}

// isTold checks that the user has been told of an error with the code, or any.
func (s *script) isTold(code string) {
	if !slices.ContainsFunc(s.told, func(err error) bool {
		var e *client.Error
		return code == "" || errors.As(err, &e) && e.Code == code
	}) {
		s.t.Errorf("the user is told %v", s.told)
	}
	s.told = nil
}
