package wsgateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestRouteResponses(t *testing.T) {
	s := serve(t, Config{Routes: map[string]Route{
		"silent":     {Integration: answer(200, "not for the client")},
		"empty":      {Integration: answer(200, ""), Response: true},
		"refused":    {Integration: answer(400, "refused"), Response: true},
		defaultRoute: {Integration: echo, Response: true},
	}})
	c := s.dial(t)
	c.send(`{"action":"silent"}`)
	c.send(`{"action":"empty"}`)
	c.expect("")
	c.send(`{"action":"refused"}`)
	c.expect("refused")
	c.send(`서버리스 👩‍👩‍👧‍👦 <&>`)
	c.expect(`서버리스 👩‍👩‍👧‍👦 <&>`)
}

// expectGatewayMessage checks a frame from the gateway itself.
func (c *client) expectGatewayMessage(text string) gatewayMessage {
	c.t.Helper()
	var got gatewayMessage
	if err := json.Unmarshal(c.recv(), &got); err != nil {
		c.t.Fatal(err)
	}
	if got.Message != text || got.ConnectionID != c.id || got.RequestID == "" {
		c.t.Fatalf("got %+v, want %q", got, text)
	}
	return got
}

func TestForbiddenWithoutDefault(t *testing.T) {
	s := serve(t, Config{Routes: map[string]Route{"echo": {Integration: echo, Response: true}}})
	c := s.dial(t)
	c.send(`{"action":"nothing"}`)
	c.expectGatewayMessage("Forbidden")
	c.send(`{"action":"echo"}`)
	c.expect(`{"action":"echo"}`)
}

// logged collects log lines.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func TestIntegrationFailures(t *testing.T) {
	for name, failing := range map[string]Route{
		"error":               {Integration: func(context.Context, event) (response, error) { return response{}, errors.New("secret") }},
		"panic":               {Integration: func(context.Context, event) (response, error) { panic("secret") }},
		"timeout":             {Integration: func(ctx context.Context, _ event) (response, error) { <-ctx.Done(); return response{}, nil }},
		"too long a response": {Response: true, Integration: answer(200, letters(128<<10+1))},
		"not UTF-8":           {Response: true, Integration: answer(200, "\xff")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { integrationFailure(t, failing) })
		})
	}
}

func integrationFailure(t *testing.T, failing Route) {
	var log logged
	_, p := openPipe(t, Config{
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
		Routes: map[string]Route{"fail": failing},
	})
	p.write(t, text(true, `{"action":"fail"}`))
	frame, err := readFrame(p)
	if err != nil {
		t.Fatal(err)
	}
	var message gatewayMessage
	if err := json.Unmarshal(frame.Payload, &message); err != nil || message.Message != "Internal server error" ||
		message.ConnectionID != string(p.conn.id) || message.RequestID == "" {
		t.Fatalf("got %q: %v", frame.Payload, err)
	}
	p.write(t, text(true, "still open"))
	p.expect(t, "still open")
	if len(log.lines) != 1 || !strings.Contains(log.lines[0], message.RequestID) || !strings.Contains(log.lines[0], "route=fail") {
		t.Errorf("logged %q", log.lines)
	}
	p.conn.startClose(1000, "")
	p.expectClose(t, 1000)
}

// A sender's frames keep their order, even if they wait in the socket.
func TestOneSendersOrder(t *testing.T) {
	const frames = 500
	received := make(chan event, frames)
	s := serve(t, Config{Routes: map[string]Route{defaultRoute: {Integration: record(received)}}})
	c := s.dial(t)
	for i := range frames {
		c.send(fmt.Sprint(i))
	}
	for i := range frames {
		if got := await(t, received).Body; got != fmt.Sprint(i) {
			t.Fatalf("frame %d: got %s", i, got)
		}
	}
}
