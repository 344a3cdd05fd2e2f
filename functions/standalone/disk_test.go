package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/diskstore"
	"serverless-websocket/adapters/memqueue"
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

// onDisk starts a service on a directory.
func onDisk(t *testing.T, args ...string) (*service, error) {
	t.Helper()
	args = append([]string{"-ws-addr=127.0.0.1:0", "-http-addr=127.0.0.1:0", "-management-addr="}, args...)
	s, err := parse(args, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return newService(s, slog.New(slog.DiscardHandler))
}

func TestDataNeedsHistory(t *testing.T) {
	if _, err := onDisk(t, "-data", t.TempDir()); err == nil || !strings.Contains(err.Error(), "-data needs -history-days above 0") {
		t.Errorf("the error is %v", err)
	}
}

// A service that cannot start leaves the directory to the next.
func TestDataIsReleased(t *testing.T) {
	dir := t.TempDir()
	if _, err := onDisk(t, "-data", dir, "-history-days=1", "-jwt-issuer=x"); err == nil {
		t.Fatal("started")
	}
	v, err := onDisk(t, "-data", dir, "-history-days=1")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range v.listeners {
		l.Close()
	}
	v.gateway.Close(t.Context())
	if err := v.closeDisk(); err != nil {
		t.Error(err)
	}
}

// What was accepted and not yet delivered is on the queue of the next process, which is
// told that it may have been delivered.
func TestJobsOfALostProcess(t *testing.T) {
	dir := t.TempDir()
	for start := range 2 {
		v, err := onDisk(t, "-data", dir, "-history-days=1")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range v.listeners {
			l.Close()
		}
		for name, queue := range map[string]*memqueue.Queue{"jobs": v.jobs, "channels": v.channels} {
			if start == 0 {
				if err := queue.Send(t.Context(), ports.QueueMessage{Body: name}); err != nil {
					t.Error(err)
				}
				continue
			}
			batch, err := queue.Receive(t.Context(), 10)
			if err != nil || len(batch) != 1 || batch[0].Body != name || batch[0].ReceiveCount != 2 {
				t.Errorf("%s: %+v, %v", name, batch, err)
			}
		}
		v.gateway.Close(t.Context())
		if err := v.closeDisk(); err != nil {
			t.Error(err)
		}
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
