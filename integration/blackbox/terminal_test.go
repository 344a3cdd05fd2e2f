package blackbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// terminal has the clients of docs/clients that run in a terminal. Each shows the frames
// that it receives.
var terminal = map[string]func(*testing.T) []string{
	"node": func(t *testing.T) []string {
		// Node 20 has the same WebSocket, but hides it.
		return []string{testenv.Node(t), "--experimental-websocket", example("node.mjs")}
	},
	"ws": func(t *testing.T) []string {
		testenv.NodeBin(t, "wscat") // npm has installed ws too then
		return []string{testenv.Node(t), example("ws.mjs")}
	},
	"python": func(t *testing.T) []string {
		return []string{testenv.Python(t, "websocket", "Debian's python3-websocket"), example("python.py")}
	},
}

func example(name string) string { return filepath.Join(testenv.Root(), "docs", "clients", name) }

func terminalClients(t *testing.T, tg *target) {
	for name, command := range terminal {
		t.Run(name, func(t *testing.T) { talk(t, tg, command(t), "") })
	}
}

// signedInClients are those of docs/clients.
func signedInClients(t *testing.T, tg *target) {
	good := token(t, "alice", nil)
	for name, command := range terminal {
		t.Run(name, func(t *testing.T) {
			sender := talk(t, tg, command(t), good)
			shows(t, sender, `"sender":"alice"`)
			stranger := startClient(t, tg, command(t), good+"x", "from a stranger")
			if code := stranger.Wait(t, patience); code != 1 || strings.Contains(stranger.Output(), `"messages"`) {
				t.Errorf("with a bad token, exit code %d", code)
			}
		})
	}
}

// talk lets a client send to another one and to itself. An empty token sends none.
func talk(t *testing.T, tg *target, command []string, token string) (sender *testenv.Process) {
	t.Helper()
	content := "from " + t.Name()
	others := len(connections(tg, "connected"))
	receiver := startClient(t, tg, command, token)
	connected(t, tg, others+1)
	sender = startClient(t, tg, command, token, content)
	shows(t, sender, `{"accepted":{"id":"`)
	shows(t, sender, `{"messages":[{"content":"`+content+`"`)
	shows(t, receiver, `{"messages":[{"content":"`+content+`"`)
	return sender
}

func startClient(t *testing.T, tg *target, command []string, token string, content ...string) *testenv.Process {
	t.Helper()
	args := slices.Concat(command[1:], []string{tg.webSocketURL}, content)
	cmd := exec.Command(command[0], args...)
	cmd.Env = append(os.Environ(), "TOKEN="+token)
	return testenv.Start(t, cmd)
}
