package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"serverless-websocket/integration/environments/testenv"
)

// answersWithin is how long a server can take to deliver what was sent.
const answersWithin = time.Minute

// server is the standalone service with its clients. The first of them also sends.
type server struct {
	process *testenv.Process
	clients []*websocket.Conn
}

// buildStandalone returns the program, built in the directory.
func buildStandalone(ctx context.Context, dir string) (program string, err error) {
	program = filepath.Join(dir, "standalone")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./functions/standalone")
	build.Dir = testenv.Root()
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the service: %w: %s", err, testenv.Tail(string(out)))
	}
	return program, nil
}

// startServer starts the program with more flags, and connects clients to it.
func startServer(ctx context.Context, program string, clients int, more ...string) (*server, error) {
	process, address, err := testenv.Serve(ctx, func(address string) (*exec.Cmd, error) {
		flags := []string{"-ws-addr", address, "-http-addr", "127.0.0.1:0", "-management-addr", ""}
		return exec.Command(program, append(flags, more...)...), nil
	})
	if err != nil {
		return nil, err
	}
	s := &server{process: process}
	for range clients {
		c, _, err := websocket.Dial(ctx, "ws://"+address, nil)
		if err != nil {
			s.stop()
			return nil, err
		}
		c.SetReadLimit(-1)
		s.clients = append(s.clients, c)
	}
	return s, nil
}

func (s *server) stop() {
	for _, c := range s.clients {
		_ = c.CloseNow()
	}
	s.process.Stop()
}

// broadcast sends a number of messages, waiting for nothing, and returns how long it took
// until they were accepted and every client had them all.
func (s *server) broadcast(ctx context.Context, messages int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i, c := range s.clients {
		replies := 0
		if i == 0 {
			replies = messages
		}
		group.Go(func() error { return receive(ctx, c, replies, messages) })
	}
	frame := []byte(`{"action":"sendMessage","content":` + text + `}`)
	start := time.Now()
	for range messages {
		if err := s.clients[0].Write(ctx, websocket.MessageText, frame); err != nil {
			return 0, errors.Join(err, group.Wait())
		}
	}
	err := group.Wait()
	return time.Since(start), err
}

// receive reads until the client has got as many replies and messages.
func receive(ctx context.Context, c *websocket.Conn, replies, messages int) error {
	for replies > 0 || messages > 0 {
		_, frame, err := c.Read(ctx)
		switch text := string(frame); {
		case err != nil:
			return err
		case strings.HasPrefix(text, `{"messages":`):
			messages -= strings.Count(text, `"sentAt":`)
		case strings.HasPrefix(text, `{"accepted":`):
			replies--
		default:
			return fmt.Errorf("the service answers %.200s", text)
		}
	}
	return nil
}
