package blackbox

import (
	"os/exec"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// wscat is the tutorial's own check, with its own client. Without a terminal it only
// prints what it receives.
func wscat(t *testing.T, tg *target) {
	const message = `{"messages":[{"content":"서버리스 웹소켓 API 테스트","id":"`
	receivers := []*testenv.Process{startWscat(t, tg), startWscat(t, tg)}
	connected(t, tg, len(receivers))
	sender := startWscat(t, tg, "--wait", "60",
		"-x", `{"action": "sendMessage", "content": "서버리스 웹소켓 API 테스트"}`,
		"-x", `not JSON`,
		"-x", `{"action": "sendMessage"}`)

	shows(t, sender, `{"accepted":{"id":"`)
	shows(t, sender, `{"error":{"code":"invalid_json","message":`)
	shows(t, sender, `{"error":{"code":"missing_content","message":"'content' not in message dict",`)
	shows(t, sender, message)
	for _, r := range receivers {
		shows(t, r, message)
		if out := r.Output(); strings.Contains(out, "error") || strings.Contains(out, "accepted") {
			t.Errorf("another client saw a reply:\n%s", out)
		}
	}
}

// startWscat keeps its stdin open: wscat ends when that does.
func startWscat(t *testing.T, tg *target, args ...string) *testenv.Process {
	t.Helper()
	cmd := exec.Command(testenv.NodeBin(t, "wscat"), append([]string{"-c", tg.webSocketURL}, args...)...)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	return testenv.Start(t, cmd)
}

func shows(t *testing.T, wscat *testenv.Process, text string) {
	t.Helper()
	testenv.Eventually(t, patience, "wscat shows "+text, func() bool {
		return strings.Contains(wscat.Output(), text)
	})
}
