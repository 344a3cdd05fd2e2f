package awslocal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"serverless-websocket/integration/environments/testenv"
)

const (
	// startLimit is how long a server can take to answer; a JVM on a busy machine needs
	// several seconds.
	startLimit = 2 * time.Minute
	// startTries bounds the tries, each with a different port.
	startTries = 3
)

// server is a child process that is started once and answers at a URL.
type server struct {
	name string
	// start starts it and returns its address, or skips the test.
	start func(t testing.TB) (*testenv.Process, func() (url string, ready bool), error)

	mu      sync.Mutex
	process *testenv.Process
	url     string
	err     error
}

// endpoint returns the URL of the running server, starting it if need be.
func (s *server) endpoint(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url == "" && s.err == nil {
		s.err = s.startAndWait(t)
	}
	if s.err != nil {
		t.Fatalf("%s: %v", s.name, s.err)
	}
	return s.url
}

func (s *server) startAndWait(t testing.TB) error {
	var failures []error
	for range startTries {
		process, answer, err := s.start(t)
		if err != nil {
			return err
		}
		if url, ok := await(process, answer); ok {
			s.process, s.url = process, url
			return nil
		}
		process.Stop()
		failures = append(failures, fmt.Errorf("no answer; its output:\n%s", testenv.Tail(process.Output())))
	}
	return errors.Join(failures...)
}

// await waits until the server answers; it fails if the process has ended.
func await(p *testenv.Process, answer func() (string, bool)) (url string, ready bool) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	ended := false
	_ = testenv.Poll(ctx, func() bool {
		url, ready = answer()
		ended = exited(p)
		return ready || ended
	})
	// If the process has ended, the answer came from another one at that port.
	return url, ready && !ended
}

func exited(p *testenv.Process) bool {
	select {
	case <-p.Exited():
		return true
	default:
		return false
	}
}

func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.Stop()
	}
}
