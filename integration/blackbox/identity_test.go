package blackbox

import (
	"strings"
	"testing"
)

func TestStandaloneIdentity(t *testing.T) { identitySuite(t, startIdentified) }

// startIdentified starts standalone with tokens.
func startIdentified(t *testing.T, i identity) *target {
	t.Helper()
	args := []string{"-auth", "jwt", "-jwt-audience", "chat", "-log-level", "debug"}
	if i.keySet == "" {
		args = append(args, "-jwt-secret", jwtSecret)
	}
	for flag, value := range map[string]string{"-jwks-url": i.keySet, "-broadcast-by": i.broadcastBy, "-origins": i.origins, "-max-rooms": i.maxRooms} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	return startStandalone(t, args...).target
}

// A stranger cannot fill the log.
func TestRefusedHandshakesAreLoggedNowAndThen(t *testing.T) {
	const handshakes = 200
	tg := identified(t, startIdentified, identity{})
	for range handshakes {
		if _, status := handshake(t, tg.webSocketURL+"/?token=bad", nil); status != 403 {
			t.Fatal(status)
		}
	}
	tg.logs.await(t, "handshake refused", "reason", "the token is malformed")
	lines := tg.logs.find(func(e entry) bool { return e.text("msg") == "handshake refused" })
	if len(lines) >= handshakes {
		t.Errorf("%d lines", len(lines))
	}
}

func TestWrongIdentitySettings(t *testing.T) {
	for _, args := range [][]string{
		{"-auth", "jwt"}, {"-auth", "jwt", "-jwt-secret", "short"}, {"-auth", "yes"}, {"-jwt-secret", jwtSecret}, {"-broadcast-by", "me"},
	} {
		cmd := command(t, append([]string{"-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", ""}, args...)...)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), args[0]) && !strings.Contains(string(out), "-jwt-secret") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// A service that requires tokens does not suggest to connect without one.
func TestTheHintNeedsAToken(t *testing.T) {
	s := startStandalone(t, "-auth", "jwt", "-jwt-secret", jwtSecret)
	if out, want := s.process.Output(), "npx wscat -c "+s.webSocketURL+` -H "Authorization: Bearer <token>"`; !strings.Contains(out, want) {
		t.Errorf("printed\n%s\nwant %s", out, want)
	}
}
