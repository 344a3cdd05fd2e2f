package blackbox

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"serverless-websocket/integration/environments/testenv"
)

// Closing the terminal stops the service like SIGTERM.
func TestHangUp(t *testing.T) {
	// Under nohup the test ignores the signal, and its child processes would inherit
	// that.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	s := startStandalone(t)
	c := dial(t, s.target)
	s.signal(t, syscall.SIGHUP)
	if code := c.awaitClose(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d", code)
	}
	if code := s.process.Wait(t, patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A log reader that dies or stalls neither ends the service nor keeps it from serving and
// stopping.
func TestLogReader(t *testing.T) {
	for _, name := range []string{"dies", "stalls"} {
		t.Run(name, func(t *testing.T) {
			reader, log, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			cmd := command(t, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "", "-log-level", "debug")
			cmd.Stderr = log
			process := testenv.Start(t, cmd)
			log.Close()
			testenv.Eventually(t, patience, "the addresses are printed", func() bool {
				return strings.Contains(process.Output(), "Try it:")
			})
			if name == "dies" {
				reader.Close()
			}
			address := strings.TrimPrefix(printed(process.Output(), "WebSocket"), "ws://")
			provoke(t, address, 3000) // about 300 bytes of log each, more than a pipe holds
			c := dial(t, &target{webSocketURL: "ws://" + address})
			c.broadcast(`"still there"`)
			if m, err := c.message(); err != nil || string(m.Content) != `"still there"` {
				t.Errorf("got %v, %v", m, err)
			}
			if err := process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := process.Wait(t, patience); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// provoke makes the service log something, over and over.
func provoke(t *testing.T, address string, times int) {
	t.Helper()
	for i := range times {
		sock, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sock, "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://%d.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", i)
		if answer, _ := io.ReadAll(sock); !strings.HasPrefix(string(answer), "HTTP/1.1 403 ") {
			t.Fatalf("got %q", answer)
		}
		sock.Close()
	}
}
