package blackbox

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// isolated says that the test's process has a network of its own.
const isolated = "TEST_NETWORK_ISOLATED"

// TestVanishedHost takes a client's address away while messages are sent to it: nothing
// answers any more, as when a phone loses its network. The service notices, and meanwhile
// the others get everything.
func TestVanishedHost(t *testing.T) {
	if os.Getenv(isolated) == "" {
		inOwnNetwork(t)
		return
	}
	ip(t, "link", "set", "lo", "up")
	ip(t, "address", "add", "10.9.0.1/32", "dev", "lo")
	ip(t, "address", "add", "10.9.0.2/32", "dev", "lo")
	s := startStandalone(t, "-ws-addr", "10.9.0.1:0", "-peer-timeout", "3s")
	vanishing, err := dialFrom("10.9.0.2", s.webSocketURL)
	if err != nil {
		t.Fatal(err)
	}
	defer vanishing.CloseNow()
	id := s.logs.await(t, "connected", "sourceIp", "10.9.0.2").text("connectionId")
	other := dial(t, s.target)
	ip(t, "address", "delete", "10.9.0.2/32", "dev", "lo")
	ip(t, "route", "add", "blackhole", "10.9.0.2/32")
	since := time.Now()
	for ended := false; !ended; {
		if time.Since(since) > patience {
			t.Fatal("not noticed")
		}
		other.wantMessage(other.broadcast(`"anybody there?"`).ID)
		ended = len(s.logs.find(func(e entry) bool {
			return e.text("msg") == "disconnected" && e.text("connectionId") == id && e.number("code") == 1006
		})) > 0
	}
}

// inOwnNetwork runs the test again in a process with a network of its own. It skips the
// test if it must not make one.
func inOwnNetwork(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no program ip to change the network")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), isolated+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Skip("own network:", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// ip changes the network.
func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v\n%s", args, err, out)
	}
}

// dialFrom connects from one of this machine's addresses.
func dialFrom(address, url string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}})
	return c, err
}
