//go:build unix

package blackbox

import (
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestFewFiles makes the service run out of the connections that its open-file limit
// allows. It says so, refuses further ones, and still serves everything else, however
// many unused sockets are open.
func TestFewFiles(t *testing.T) {
	const files, fit = 960, 100 // with 500 for handshakes, 100 for refusals, 10 for messages, and 250 for the rest
	s := launch(t, limited(command(t, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "127.0.0.1:0"), files))
	if e := s.logs.await(t, "the open-file limit is too low for -max-connections; fewer clients can connect", "level", "WARN"); e.number("connections") != fit {
		t.Errorf("warned of %d connections, want %d", e.number("connections"), fit)
	}
	dial(t, s.target)
	id := connected(t, s.target, 1)[0]
	others := dialMany(t, s.target, fit-1)
	for range 3 {
		_, response, err := websocket.Dial(t.Context(), s.webSocketURL, nil)
		if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("one too many: %v, want 503", err)
		}
	}
	s.logs.await(t, "connections are refused: there are as many as there may be", "level", "WARN")
	for _, url := range []string{s.webSocketURL, s.httpURL, s.managementEndpoint} {
		openUnused(t, url, 1000)
	}
	ping(t, s.target)
	if err := post(t, newManagement(t, s.managementEndpoint), id, "hello"); err != nil {
		t.Error(err)
	}
	others[0].broadcast(`"still here"`)
}

// limited runs the command with an open-file limit.
func limited(cmd *exec.Cmd, files int) *exec.Cmd {
	shell := exec.Command("sh", append([]string{"-c", `ulimit -n "$0" && exec "$@"`, strconv.Itoa(files), cmd.Path}, cmd.Args[1:]...)...)
	shell.Dir, shell.Env = cmd.Dir, cmd.Env
	return shell
}

// openUnused opens sockets that send nothing, and leaves them open.
func openUnused(t *testing.T, url string, sockets int) {
	t.Helper()
	_, address, _ := strings.Cut(url, "://")
	address, _, _ = strings.Cut(address, "/")
	for range sockets {
		sock, err := net.DialTimeout("tcp", address, patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sock.Close() })
	}
}
