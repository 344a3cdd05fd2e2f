// Package lambdalocal runs compiled Lambda functions on this machine like the Lambda
// service: each execution environment is a process behind its own Runtime API, with one
// invocation at a time and a deadline, after which it is killed. An event source feeds a
// function from an SQS queue, and faults can be put between the functions and the
// services they use.
package lambdalocal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"serverless-websocket/integration/environments/testenv"
)

// MaxPayload is the longest payload of an invocation and of its response, in
// bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxPayload = 6 << 20

var errClosed = errors.New("the function is closed")

// Config describes a function. The zero value of a field stands for its default.
type Config struct {
	// Name is the function's name; "function".
	Name string
	// Bootstrap is the absolute path of the executable; see Unpack.
	Bootstrap string
	// Emulator is the path of a program that runs the executable if it is built for
	// another machine; none by default.
	Emulator string
	// Env are the function's own variables, each "NAME=value". They override those that
	// Lambda sets; there are no others.
	Env []string
	// Timeout of an invocation; 3 s, as on Lambda.
	Timeout time.Duration
	// Concurrency is the maximum number of environments; default 1. Further invocations
	// wait, whereas Lambda would throttle them.
	Concurrency int
	// Memory in MB, reported to the function but not enforced; default 128.
	Memory int
	// Log receives the environments' output, one whole line at a time. By default it is
	// only kept for Output.
	Log io.Writer
}

// Function is a deployed function. Its methods are safe for concurrent use.
type Function struct {
	cfg   Config
	slots chan struct{} // one for each running invocation
	log   log

	mu      sync.Mutex
	timeout time.Duration
	all     []*environment // by id, from 1 on
	idle    []*environment // the last used is used next
	closed  bool
	running sync.WaitGroup // invocations
}

// New deploys the function for the duration of the test. No process runs until the first
// invocation. A failed test shows the processes' last output.
func New(t testing.TB, cfg Config) *Function {
	t.Helper()
	cfg.Name = cmp.Or(cfg.Name, "function")
	cfg.Timeout = cmp.Or(cfg.Timeout, 3*time.Second)
	cfg.Concurrency = cmp.Or(cfg.Concurrency, 1)
	cfg.Memory = cmp.Or(cfg.Memory, 128)
	f := &Function{
		cfg: cfg, timeout: cfg.Timeout, slots: make(chan struct{}, cfg.Concurrency), log: log{tee: cfg.Log},
	}
	t.Cleanup(func() {
		f.close()
		if text := f.Output(); t.Failed() && text != "" {
			t.Logf("output of function %s, the end:\n%s", cfg.Name, testenv.Tail(text))
		}
	})
	return f
}

// Invoke invokes the function and returns its response. The error is an *Error if the
// invocation failed. If ctx ends first, its error is returned and the invocation
// continues, as on Lambda when the caller has gone away.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("payload of %d bytes: at most %d", len(payload), MaxPayload)
	}
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	done := make(chan result, 1)
	if !f.run(payload, done) {
		<-f.slots
		return nil, errClosed
	}
	select {
	case r := <-done:
		return r.payload, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run starts the invocation, for which the caller holds a slot, unless the function is
// closed.
func (f *Function) run(payload []byte, done chan<- result) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.running.Go(func() {
		defer func() { <-f.slots }()
		done <- f.invoke(payload)
	})
	return true
}

// invoke moves on to another environment if the one it took has ended since its last
// invocation. On Lambda, callers do not notice that either.
func (f *Function) invoke(payload []byte) result {
	for {
		e, err := f.take()
		if err != nil {
			return result{err: err}
		}
		r := e.invoke(payload, f.currentTimeout())
		f.giveBack(e)
		if r.err != errNotTaken {
			return r
		}
	}
}

// take returns a warm environment or starts one. There is a slot for it.
func (f *Function) take() (*environment, error) {
	if e := f.warm(); e != nil {
		return e, nil
	}
	e, err := f.start()
	if err != nil {
		return nil, err
	}
	return e, e.initialize()
}

func (f *Function) warm() *environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := len(f.idle); n > 0; n = len(f.idle) {
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		if !e.ended() {
			return e
		}
	}
	return nil
}

func (f *Function) giveBack(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !e.ended() {
		f.idle = append(f.idle, e)
	}
}

func (f *Function) start() (*environment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errClosed
	}
	e, err := newEnvironment(len(f.all)+1, f.cfg, &f.log)
	if err == nil {
		f.all = append(f.all, e)
	}
	return e, err
}

// Environments returns all environments so far, in order of their start.
func (f *Function) Environments() []Environment {
	var all []Environment
	for _, e := range f.environments() {
		all = append(all, e.status())
	}
	return all
}

// Kill kills an environment, like a failing host, and waits until its process has ended.
// An unknown id has no effect.
func (f *Function) Kill(id int) {
	if all := f.environments(); 0 < id && id <= len(all) {
		all[id-1].kill()
	}
}

// Pause freezes an environment, so that an invocation runs into its timeout. An unknown
// id has no effect.
func (f *Function) Pause(id int) {
	if all := f.environments(); 0 < id && id <= len(all) {
		all[id-1].process.Pause()
	}
}

// SetTimeout changes the timeout of future invocations.
func (f *Function) SetTimeout(timeout time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timeout = timeout
}

func (f *Function) currentTimeout() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.timeout
}

// Output returns the lines that the environments have written so far.
func (f *Function) Output() string { return f.log.String() }

func (f *Function) environments() []*environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

// close ends all environments; running invocations fail.
func (f *Function) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for _, e := range f.environments() {
		e.close()
	}
	f.running.Wait()
}
