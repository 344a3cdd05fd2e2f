package blackbox

import (
	"regexp"
	"testing"
)

// TestWscatResumes is the session of the README: a client that comes back gets what it has
// missed, and older messages.
func TestWscatResumes(t *testing.T) {
	tg := startStandalone(t).target
	sender := startWscat(t, tg, "--wait", "60",
		"-x", `{"action": "resume"}`,
		"-x", `{"action": "sendMessage", "content": "안녕"}`,
		"-x", `{"action": "sendMessage", "content": "goal!"}`)
	shows(t, sender, `{"resumed":{"everyone":{"position":"`)
	shows(t, sender, `{"content":"안녕","id":"`)
	shows(t, sender, `{"content":"goal!","id":"`)
	start := regexp.MustCompile(`"position":"([0-9a-z]+\.0)"`).FindStringSubmatch(sender.Output())
	epoch := regexp.MustCompile(`"channel":"everyone","epoch":"([0-9a-z]+)"}`).FindStringSubmatch(sender.Output())
	if start == nil || epoch == nil {
		t.Fatal(sender.Output())
	}
	back := startWscat(t, tg, "--wait", "60",
		"-x", `{"action": "resume", "positions": {"everyone": "`+epoch[1]+`.1"}}`,
		"-x", `{"action": "loadMessages", "limit": 1, "before": "`+epoch[1]+`.2"}`)
	shows(t, back, `{"resumed":{"everyone":{"recovered":true,"position":"`+epoch[1]+`.2","messages":[{"content":"goal!","id":"`)
	shows(t, back, `{"loaded":{"messages":[{"content":"안녕","id":"`)
	fromStart := startWscat(t, tg, "--wait", "60", "-x", `{"action": "resume", "positions": {"everyone": "`+start[1]+`"}}`)
	shows(t, fromStart, `{"resumed":{"everyone":{"recovered":true,"position":"`+epoch[1]+`.2","messages":[{"content":"안녕","id":"`)
}
