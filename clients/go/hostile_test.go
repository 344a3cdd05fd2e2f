package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	client "serverless-websocket/clients/go"
)

// Whatever a service sends, in whatever order, the client goes on until it is stopped, and
// then ends. A panic in Run would end the test.
func TestHostileService(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) { playHostile(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func playHostile(t *testing.T, seed uint64) {
	s := &hostile{Rand: rand.New(rand.NewPCG(seed, 0)), nonsense: float64(seed%3) / 50}
	ctx, stop := context.WithCancel(t.Context())
	o := client.Options{Rooms: []string{"goals", "chess"}, OnMessage: func(client.Event) {}}
	if seed%2 == 0 {
		o.Token = func(context.Context) (string, error) { return "token", nil }
	}
	c := client.New(o)
	c.Scripted(s.dial, s.Float64())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	for range 150 {
		synctest.Wait()
		s.play()
		s.user(ctx, c)
		time.Sleep(time.Duration(s.Int64N(int64(4 * time.Second))))
	}
	stop()
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
}

// hostile is a service that sends what may come, in any order, and nonsense.
type hostile struct {
	*rand.Rand
	nonsense float64 // how often
	socket   atomic.Pointer[hostileSocket]
	asked    []string // requests without an answer
}

type hostileSocket struct {
	in, out chan []byte
	close   sync.Once
	closed  chan struct{}
}

func (s *hostile) dial(context.Context, string) (client.Socket, error) {
	socket := &hostileSocket{in: make(chan []byte), out: make(chan []byte, 1_000), closed: make(chan struct{})}
	s.socket.Store(socket)
	return socket, nil
}

// Read returns a frame of the service.
func (s *hostileSocket) Read(ctx context.Context) ([]byte, error) {
	select {
	case text := <-s.in:
		return text, nil
	case <-s.closed:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write keeps a frame for the service.
func (s *hostileSocket) Write(_ context.Context, text []byte) error {
	s.out <- text
	return nil
}

// Close ends the connection, for either side.
func (s *hostileSocket) Close() { s.close.Do(func() { close(s.closed) }) }

// play answers some requests, and sends more.
func (s *hostile) play() {
	socket := s.socket.Load()
	for len(socket.out) > 0 {
		s.asked = append(s.asked, string(<-socket.out))
	}
	for len(s.asked) > 0 && s.Float64() < 0.7 {
		i := s.IntN(len(s.asked))
		socket.give(s.answer(s.asked[i]))
		s.asked = append(s.asked[:i], s.asked[i+1:]...)
	}
	socket.give(fmt.Sprintf(`{"messages":%s,"channel":%s,"epoch":%s}`, s.messages(), s.channel(), s.one(`"k"`, `"j"`, `""`)))
	if s.Float64() < 0.04 {
		socket.Close()
	}
}

func (s *hostileSocket) give(text string) {
	select {
	case s.in <- []byte(text):
	case <-s.closed:
	}
}

func (s *hostile) answer(request string) string {
	var r struct{ Action, Ref string }
	_ = json.Unmarshal([]byte(request), &r) // the client's own
	switch {
	case s.Float64() < 0.15:
		return fmt.Sprintf(`{"error":{"code":%s,"retryAfter":%s,"ref":%q}}`, s.code(),
			s.one("0", "3", "-5", "9223372036854775807"), r.Ref)
	case r.Action == "resume":
		return fmt.Sprintf(`{"resumed":{%s:%s,%s:%s},"ref":%q}`, s.channel(), s.resumed(), s.channel(), s.resumed(), r.Ref)
	case r.Action == "joinRoom":
		return fmt.Sprintf(`{"joined":{"position":%s,"ref":%q}}`, s.one(`"k.5"`, `""`), r.Ref)
	case r.Action == "leaveRoom":
		return fmt.Sprintf(`{"left":{"ref":%q}}`, r.Ref)
	}
	return fmt.Sprintf(`{"accepted":{"id":%s,"ref":%q}}`, s.one(`"x"`), r.Ref)
}

func (s *hostile) resumed() string {
	if s.Float64() < 0.15 {
		return fmt.Sprintf(`{"error":{"code":%s}}`, s.code())
	}
	return fmt.Sprintf(`{%s"position":%s,"messages":%s,"more":%s}`,
		[]string{"", `"recovered":true,`, `"recovered":false,"reason":"reset",`}[s.IntN(3)],
		s.one(`"k.5"`, `"k.0"`, `"j.3"`, `"k.9"`), s.messages(), s.one("true", "false"))
}

func (s *hostile) messages() string {
	var all []string
	for range s.IntN(4) {
		all = append(all, fmt.Sprintf(`{"id":"%d","seq":%s}`, s.IntN(30), s.one(fmt.Sprint(1+s.IntN(12)))))
	}
	return s.one("[" + strings.Join(all, ",") + "]")
}

func (s *hostile) code() string {
	return s.one(`"unavailable"`, `"internal"`, `"not_a_member"`, `"forbidden"`, `"unauthenticated"`, `"no_history"`)
}

func (s *hostile) channel() string {
	return []string{`"everyone"`, `"user"`, `"room:goals"`, `"room:chess"`, `"room:"`, `"x"`, `""`}[s.IntN(7)]
}

// one returns one of the values, or nonsense.
func (s *hostile) one(values ...string) string {
	if s.Float64() < s.nonsense {
		values = []string{"null", "-1", "1e308", `"k."`, "[]", "{}", "[null]", "true", "1.5", "9007199254740993"}
	}
	return values[s.IntN(len(values))]
}

// user sends, joins and leaves without waiting.
func (s *hostile) user(ctx context.Context, c *client.Client) {
	do, room := s.IntN(20), []string{"goals", "chess", "go"}[s.IntN(3)]
	go func() { // what comes of it is the service's word
		switch {
		case do < 6:
			_, _ = c.Send(ctx, client.Outgoing{Content: do})
		case do == 6:
			_ = c.Join(ctx, room)
		case do == 7:
			_ = c.Leave(ctx, room)
		}
	}()
}
