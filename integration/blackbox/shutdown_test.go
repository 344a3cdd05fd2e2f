package blackbox

import (
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"serverless-websocket/integration/environments/testenv"
)

// TestStopDuringBroadcasts stops the service while clients send as fast as they can.
// Every client still gets all accepted messages, then a close frame.
func TestStopDuringBroadcasts(t *testing.T) {
	const receivers, senders, burst, stopAfter = 60, 8, 200, 50
	s := startStandalone(t, "-drain-timeout", "5m")
	clients := dialMany(t, s.target, receivers+senders)
	accepts := make(chan string, senders*burst)
	received := make([]map[string]bool, len(clients))
	var group sync.WaitGroup
	for i, c := range clients {
		group.Go(func() { received[i] = readToTheEnd(c, accepts) })
	}
	for _, c := range clients[:senders] {
		group.Go(func() { sendBurst(c, burst) })
	}
	testenv.Eventually(t, patience, "messages are accepted", func() bool { return len(accepts) >= stopAfter })
	s.signal(t, syscall.SIGTERM)
	if code := s.process.Wait(t, patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	group.Wait()

	close(accepts)
	t.Logf("%d of %d messages were accepted", len(accepts), senders*burst)
	for id := range accepts {
		for i := range clients {
			if !received[i][id] {
				t.Fatalf("client %d did not get accepted message %s", i, id)
			}
		}
	}
	codes := map[websocket.StatusCode]int{}
	for _, c := range clients {
		codes[c.code]++
	}
	if codes[websocket.StatusGoingAway] != len(clients) {
		t.Errorf("clients by the code they were closed with: %v, want 1001 for all %d", codes, len(clients))
	}
}

// sendBurst does not wait for replies; another goroutine reads from the client. It ends
// early if the service does.
func sendBurst(c *client, n int) {
	for range n {
		if c.trySend(sendTemplate+quoted(1000)+"}") != nil {
			return
		}
	}
}

// readToTheEnd returns the ids of messages that reach the client before it is closed. The
// ids of its own accepted messages go to accepts.
func readToTheEnd(c *client, accepts chan<- string) map[string]bool {
	received := map[string]bool{}
	for {
		f, err := c.readFrame()
		if err != nil {
			return received
		}
		if f.Accepted != nil {
			accepts <- f.Accepted.ID
		}
		for _, m := range f.Messages {
			received[m.ID] = true
		}
	}
}

// TestStopWithStuckClient has a client hold up the stop with data waiting for it. It is
// given up when the drain timeout ends, as the log and the exit status say, and meanwhile
// no one new is let in.
func TestStopWithStuckClient(t *testing.T) {
	s, stuck := startHeldUp(t, "-drain-timeout", "3s")
	bystander := dial(t, s.target)
	s.signal(t, syscall.SIGTERM)
	s.logs.await(t, "stopping", "level", "INFO")
	testenv.Eventually(t, patience, "new clients are refused", func() bool {
		c, err := tryDial(t, s.target)
		if err == nil {
			c.ws.CloseNow()
		}
		return err != nil
	})
	if code := bystander.awaitClose(); code != websocket.StatusGoingAway {
		t.Errorf("the bystander was closed with %d, want 1001", code)
	}
	if code := s.process.Wait(t, patience); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if e := s.logs.await(t, "not stopped gracefully", "level", "ERROR"); !strings.Contains(e.text("error"), "1 clients did not take") {
		t.Errorf("the log says %v", e)
	}
	if e := s.logs.await(t, "disconnected", "connectionId", stuck); e.number("code") != int(websocket.StatusGoingAway) {
		t.Errorf("the client for which messages waited: %v", e)
	}
}

// TestStopWaitsForSlowClients: a client gets its waiting messages after the stop has
// begun.
func TestStopWaitsForSlowClients(t *testing.T) {
	s := startStandalone(t, "-drain-timeout", "10m")
	slow := dial(t, s.target)
	sender := dial(t, s.target)
	const messages = 100
	for range messages {
		sender.broadcast(quoted(30 << 10))
	}
	sender.broadcast(`"last"`)
	if _, err := sender.until(`"last"`); err != nil {
		t.Fatal(err)
	}
	s.signal(t, syscall.SIGTERM)
	s.logs.await(t, "stopping", "level", "INFO")
	if got, err := slow.until(`"last"`); err != nil || len(got) != messages {
		t.Errorf("%d messages, %v", len(got), err)
	}
	for _, c := range []*client{slow, sender} {
		if code := c.awaitClose(); code != websocket.StatusGoingAway {
			t.Errorf("closed with %d", code)
		}
	}
	if code := s.process.Wait(t, patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	s, _ := startHeldUp(t, "-drain-timeout", "1h")
	s.signal(t, syscall.SIGINT)
	s.logs.await(t, "stopping", "level", "INFO")
	testenv.Eventually(t, patience, "the program ends", func() bool {
		_ = s.process.Signal(syscall.SIGTERM) // fails when it has ended
		return s.ended()
	})
	if code := s.process.Wait(t, patience); code == 0 {
		t.Error("exit code 0 although it did not stop gracefully")
	}
}

// startHeldUp starts a service with data waiting for a client that takes nothing, so that
// it cannot stop before it has given that client up. It also returns the client's id.
func startHeldUp(t *testing.T, args ...string) (s *standalone, stuck string) {
	t.Helper()
	s = startStandalone(t, append(args, "-write-timeout", "1h")...)
	_, stuck = connectStuck(t, s.target)
	return s, stuck
}

func TestStopsOnInterrupt(t *testing.T) {
	s := startStandalone(t)
	c := dial(t, s.target)
	s.signal(t, syscall.SIGINT)
	if code := c.awaitClose(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d, want 1001", code)
	}
	if code := s.process.Wait(t, patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	address := strings.TrimPrefix(s.webSocketURL, "ws://")
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("something is still listening")
	}
}
