package blackbox

import (
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"serverless-websocket/integration/testenv"
)

// TestStopDuringBroadcasts stops the service while clients send as fast as they
// can. Every client still gets all that was accepted, then a close frame.
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

// sendBurst waits for no reply, while the client is read from elsewhere. It ends
// early when the service does.
func sendBurst(c *client, n int) {
	for range n {
		if c.trySend(sendTemplate+quoted(1000)+"}") != nil {
			return
		}
	}
}

// readToTheEnd returns the ids of the messages that reach the client before it
// is closed. Those of its own that are accepted go to accepts.
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

// TestStopWithStuckClient has a client hold up the stop. It ends with that
// client dropped, for which the service waits, and nobody new let in meanwhile.
func TestStopWithStuckClient(t *testing.T) {
	s, stuck := startHeldUp(t, "-drain-timeout", "40s")
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
	if code := s.process.Wait(t, patience); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if e := s.logs.await(t, "disconnected", "connectionId", stuck); e.number("code") != int(websocket.StatusPolicyViolation) {
		t.Errorf("the client that is owed messages was not waited for: %v", e)
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

// startHeldUp starts a service that has accepted a message which one client has no
// room for, so that it does not stop before it has given that one up. It
// returns that client's id too.
func startHeldUp(t *testing.T, args ...string) (s *standalone, stuck string) {
	t.Helper()
	s = startStandalone(t, append(args, "-write-timeout", "1h")...)
	stuck = connectStuck(t, s.target)
	sender := dial(t, s.target)
	for leftOver := 0; leftOver == 0; { // the first ones may still fit into its buffer
		a := sender.broadcast(quoted(30 << 10))
		leftOver = s.logs.await(t, "fanned out", "messageIds", a.ID).number("leftOver")
	}
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
		t.Error("somebody still listens")
	}
}
