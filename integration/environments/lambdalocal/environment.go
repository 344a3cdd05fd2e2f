package lambdalocal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"serverless-websocket/integration/environments/testenv"
)

// initLimit is how long an environment can take until it asks for its first invocation.
// On Lambda it is 10 s, but this machine may be busier.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
const initLimit = time.Minute

// errNotTaken: the process ended before it took the invocation.
var errNotTaken = errors.New("invocation not taken")

// Environment is what is known about one execution environment.
type Environment struct {
	ID int
	// Init is the time from the start of the process until it asked for the first
	// invocation; zero if it has not.
	Init time.Duration
	// First is the duration of the first invocation; zero if there was none.
	First       time.Duration
	Invocations int // begun
	Busy        bool
	Ended       bool
}

// environment is a process and the Runtime API that serves it.
type environment struct {
	id      int
	cfg     Config
	server  *http.Server
	process *testenv.Process
	started time.Time

	ready   chan struct{} // closed by the first request for an invocation
	pending chan *invocation
	initErr chan *Error // the process's error report if it is not ready

	mu          sync.Mutex
	current     *invocation // nil when idle
	init, first time.Duration
	invocations int
}

// invocation is one event on its way through an environment.
type invocation struct {
	id       string
	payload  []byte
	timeout  time.Duration
	deadline time.Time
	result   chan result // takes the first without anyone waiting
}

type result struct {
	payload []byte
	err     error
}

func newEnvironment(id int, cfg Config, log *log) (*environment, error) {
	e := &environment{
		id: id, cfg: cfg,
		ready: make(chan struct{}), pending: make(chan *invocation), initErr: make(chan *Error, 1),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e.server = &http.Server{Handler: e.runtimeAPI(), ReadHeaderTimeout: time.Minute}
	cmd := exec.Command(cfg.Bootstrap)
	if cfg.Emulator != "" {
		cmd = exec.Command(cfg.Emulator, cfg.Bootstrap)
	}
	cmd.Dir = filepath.Dir(cfg.Bootstrap)
	cmd.Env = cfg.environ(listener.Addr().String())
	output := &lines{log: log}
	cmd.Stdout, cmd.Stderr = output, output
	e.started = time.Now()
	if e.process, err = testenv.Run(cmd); err != nil {
		listener.Close()
		return nil, err
	}
	go func() {
		_ = e.server.Serve(listener) // ends when the server is closed
	}()
	go func() {
		<-e.process.Exited()
		output.flush()
		e.server.Close()
	}()
	return e, nil
}

// environ is the variables that Lambda defines for a function's process, and the
// function's own. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (cfg Config) environ(runtimeAPI string) []string {
	return append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI,
		"AWS_LAMBDA_FUNCTION_NAME=" + cfg.Name,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", cfg.Memory),
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_LOG_LEVEL=INFO",
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(cfg.Bootstrap),
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"TZ=:UTC",
		"_HANDLER=" + bootstrapName,
	}, cfg.Env...)
}

// initialize waits until the process asks for its first invocation. After an
// error, the environment has ended.
func (e *environment) initialize() error {
	limit := time.NewTimer(initLimit)
	defer limit.Stop()
	select {
	case <-e.ready:
		return nil
	case err := <-e.initErr:
		e.kill()
		return err
	case <-e.process.Exited():
		return errExited
	case <-limit.C:
		e.kill()
		return &Error{TimedOut, fmt.Sprintf("Init timed out after %v", initLimit)}
	}
}

// invoke hands the process one event and waits for the outcome. At the deadline the
// process is killed.
func (e *environment) invoke(payload []byte, timeout time.Duration) result {
	v := e.begin(payload, timeout)
	defer e.finish()
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case e.pending <- v:
	case <-e.process.Exited():
		return result{err: errNotTaken}
	case <-limit.C:
		return e.timeOut(v)
	}
	select {
	case r := <-v.result:
		return r
	case <-limit.C:
		return e.timeOut(v)
	case <-e.process.Exited():
		select {
		case r := <-v.result: // its last action
			return r
		default:
			return result{err: errExited}
		}
	}
}

func (e *environment) begin(payload []byte, timeout time.Duration) *invocation {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = &invocation{
		id: newRequestID(), payload: payload,
		timeout: timeout, deadline: time.Now().Add(timeout), result: make(chan result, 1),
	}
	e.invocations++
	return e.current
}

func (e *environment) finish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.invocations == 1 {
		e.first = e.current.timeout - time.Until(e.current.deadline)
	}
	e.current = nil
}

func (e *environment) timeOut(v *invocation) result {
	e.kill()
	return result{err: &Error{TimedOut, fmt.Sprintf("Task timed out after %.2f seconds", v.timeout.Seconds())}}
}

// kill ends the process and waits until it has ended.
func (e *environment) kill() {
	_ = e.process.Signal(syscall.SIGKILL) // fails when it has ended
	<-e.process.Exited()
}

// close also ends processes that this one has started.
func (e *environment) close() {
	e.kill()
	e.process.Stop()
	e.server.Close()
}

func (e *environment) ended() bool {
	select {
	case <-e.process.Exited():
		return true
	default:
		return false
	}
}

func (e *environment) status() Environment {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Environment{
		ID: e.id, Init: e.init, First: e.first, Invocations: e.invocations,
		Busy: e.current != nil, Ended: e.ended(),
	}
}

// newRequestID returns a random UUID.
func newRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
