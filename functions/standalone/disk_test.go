package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/diskstore"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

// The queues keep their contract with a journal on disk.
func TestQueueOnDisk(t *testing.T) {
	newQueue := func(t *testing.T, config memqueue.Config) porttest.QueueUnderTest {
		store, err := diskstore.Open(t.TempDir(), diskstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		config.Journal, config.Log = store.Journal("jobs"), slog.New(slog.DiscardHandler)
		q := memqueue.New(config)
		return porttest.QueueUnderTest{Queue: q, Receiver: q, WaitIdle: q.WaitIdle}
	}
	porttest.TestQueue(t, porttest.QueueHarness{
		New: func(t *testing.T, visibility time.Duration, maxReceives int) porttest.QueueUnderTest {
			dead := memqueue.New(memqueue.Config{})
			q := newQueue(t, memqueue.Config{Visibility: visibility, MaxReceives: maxReceives, DeadLetters: dead})
			q.DeadLetters = dead
			return q
		},
		NewFailing: func(t *testing.T) porttest.QueueUnderTest { return newQueue(t, memqueue.Config{MaxBytes: 150}) },
	})
}

var quiet = slog.New(slog.DiscardHandler)

// onDisk starts a service on a directory.
func onDisk(t *testing.T, log *slog.Logger, args ...string) (*service, error) {
	t.Helper()
	args = append([]string{"-ws-addr=127.0.0.1:0", "-http-addr=127.0.0.1:0", "-management-addr="}, args...)
	s, err := parse(args, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return newService(s, log)
}

func TestDataNeedsHistory(t *testing.T) {
	_, err := onDisk(t, quiet, "-data", t.TempDir(), "-history-days=0")
	if err == nil || !strings.Contains(err.Error(), "-data needs -history-days above 0") {
		t.Errorf("the error is %v", err)
	}
}

// With messages that are kept, data is in ./data by default. Without, it is nowhere.
func TestWhereDataIs(t *testing.T) {
	for _, row := range []struct {
		args []string
		env  string
		want string
	}{
		{want: "data"},
		{args: []string{"-history-days", "0"}},
		{env: "SWS_HISTORY_DAYS=0"},
		{args: []string{"-data="}},
		{env: "SWS_DATA="},
		{args: []string{"-data", "x"}, want: "x"},
		{args: []string{"-data", "data", "-history-days", "0"}, want: "data"}, // is refused
		{args: []string{"-history-days", "0"}, env: "SWS_DATA=data", want: "data"},
	} {
		s, err := parse(row.args, []string{row.env}, io.Discard)
		if err != nil || s.data != row.want {
			t.Errorf("%v %s: in %q, %v; want %q", row.args, row.env, s.data, err, row.want)
		}
	}
}

// An error about the directory says what else to do.
func TestDataThatCannotBeUsed(t *testing.T) {
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for environ, memory := range map[string]string{"": "-data=''", "MAKELEVEL=1": `make run ARGS="-data=''"`} {
		want := "standalone: " + taken + ": not a directory; choose another directory with -data or SWS_DATA, " +
			"or keep messages in memory alone, with " + memory + "\n"
		if got := fails(t, []string{environ}, "-data", taken); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A service that cannot start leaves the directory to the next.
func TestDataIsReleased(t *testing.T) {
	dir := t.TempDir()
	if _, err := onDisk(t, quiet, "-data", dir, "-history-days=1", "-jwt-issuer=x"); err == nil {
		t.Fatal("started")
	}
	v, err := onDisk(t, quiet, "-data", dir, "-history-days=1")
	if err != nil {
		t.Fatal(err)
	}
	closeService(t, v)
}

// What was accepted and not yet delivered is on the queue of the next process, which is
// told that it may have been delivered.
func TestJobsOfALostProcess(t *testing.T) {
	dir := t.TempDir()
	for start := range 2 {
		withJobs(t, dir, quiet, func(name string, queue *memqueue.Queue) {
			body := jobFor(name).Encode()
			if start == 0 {
				if err := queue.Send(t.Context(), ports.QueueMessage{Body: body}); err != nil {
					t.Error(err)
				}
				return
			}
			batch, err := queue.Receive(t.Context(), 10)
			if err != nil || len(batch) != 1 || batch[0].Body != body || batch[0].ReceiveCount != 2 {
				t.Errorf("%s: %+v, %v", name, batch, err)
			}
		})
	}
}

// Jobs that this version cannot read are logged once a start, keep no stop waiting, and
// stay on disk.
func TestJobsOfALaterVersion(t *testing.T) {
	dir, later := t.TempDir(), []string{`{"v":99}`, `{"v":98}`}
	for start := range 3 {
		var log bytes.Buffer
		withJobs(t, dir, slog.New(slog.NewTextHandler(&log, nil)), func(name string, queue *memqueue.Queue) {
			if start == 0 {
				err := queue.Send(t.Context(), ports.QueueMessage{Body: later[0]}, ports.QueueMessage{Body: jobFor(name).Encode()},
					ports.QueueMessage{Body: later[1]})
				if err != nil {
					t.Error(err)
				}
				return
			}
			if start == 1 {
				batch, err := queue.Receive(t.Context(), 10)
				if err != nil || len(batch) != 1 || batch[0].Body != jobFor(name).Encode() {
					t.Fatalf("%s: %+v, %v", name, batch, err)
				}
				queue.Delete(batch[0].Receipt)
			}
			if err := queue.WaitIdle(t.Context()); err != nil {
				t.Error(err)
			}
			line := fmt.Sprintf(`they stay there for one that can" queue=%s jobs=2 error="not a job: version 98"`, name)
			if strings.Count(log.String(), line) != 1 {
				t.Errorf("the log says %s, not %s", log.String(), line)
			}
		})
	}
}

func jobFor(room string) domain.Job {
	message := domain.Message{ID: "01KB0000000000000000000000", SentAt: time.UnixMilli(946684800000)}
	message.Content = domain.Content("1")
	return domain.Job{To: domain.ToRoom(room), Messages: []domain.Message{message}}
}

// withJobs opens a service on a directory, and closes it without delivering its jobs.
func withJobs(t *testing.T, dir string, log *slog.Logger, visit func(name string, queue *memqueue.Queue)) {
	t.Helper()
	v, err := onDisk(t, log, "-data", dir, "-history-days=1")
	if err != nil {
		t.Fatal(err)
	}
	visit("jobs", v.jobs)
	visit("channels", v.channels)
	closeService(t, v)
}

// closeService closes a service that does not serve.
func closeService(t *testing.T, v *service) {
	t.Helper()
	for _, l := range v.listeners {
		l.Close()
	}
	v.gateway.Close(t.Context())
	if err := v.closeDisk(); err != nil {
		t.Error(err)
	}
}

// Files of the store are not left to clients.
func TestDataTakesFiles(t *testing.T) {
	if got := (settings{data: "x", historyDays: 30}).dataFiles(); got != 33 {
		t.Errorf("%d files", got)
	}
	if got := (settings{historyDays: 30}).dataFiles(); got != 0 {
		t.Errorf("%d files in memory", got)
	}
}
