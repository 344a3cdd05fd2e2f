package blackbox

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/integration/environments/testenv"
)

const jwtSecret = "a secret of the black-box tests, long enough"

// startIdentified starts a service that requires tokens. After the test, no token may be
// in its log, which has every level.
func startIdentified(t *testing.T, args ...string) *standalone {
	t.Helper()
	s := startStandalone(t, append([]string{"-auth", "jwt", "-jwt-secret", jwtSecret, "-jwt-audience", "chat", "-log-level", "debug"}, args...)...)
	t.Cleanup(func() {
		if log := lines(s.logs.find(func(entry) bool { return true })); strings.Contains(log, "eyJ") || strings.Contains(log, jwtSecret) {
			t.Errorf("a token or the secret is in the log:\n%s", head(log))
		}
	})
	return s
}

// token returns a token for a user, with more claims.
func token(t *testing.T, user string, more jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": user, "aud": "chat", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range more {
		claims[name] = value
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(jwtSecret))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// signIn connects with a token in the query.
func signIn(t *testing.T, s *standalone, token string) *client {
	t.Helper()
	with := *s.target
	with.webSocketURL += "/?token=" + token
	return dial(t, &with)
}

func TestTheSenderIsTheUserOfTheToken(t *testing.T) {
	s := startIdentified(t)
	alice, bob := signIn(t, s, token(t, "alice", nil)), signIn(t, s, token(t, `"bob" <b@x>`, nil))
	alice.send(`{"action":"sendMessage","content":"from alice","sender":"eve"}`)
	bob.send(`{"action":"sendMessage","content":"from bob"}`)
	senders := map[string]string{}
	for range 2 {
		m, err := alice.message()
		if err != nil {
			t.Fatal(err)
		}
		senders[string(m.Content)] = m.Sender
	}
	if senders[`"from alice"`] != "alice" || senders[`"from bob"`] != `"bob" <b@x>` {
		t.Errorf("senders %q", senders)
	}
}

func TestStrangersCannotConnect(t *testing.T) {
	s := startIdentified(t)
	good := token(t, "alice", nil)
	for name, test := range map[string]struct {
		query, header, protocols string
		status                   int
	}{
		"no token":            {status: 401},
		"an empty token":      {query: "?token=", status: 403},
		"a bad token":         {query: "?token=" + good + "x", status: 403},
		"an expired token":    {query: "?token=" + token(t, "alice", jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}), status: 403},
		"another audience":    {query: "?token=" + token(t, "alice", jwt.MapClaims{"aud": "mail"}), status: 403},
		"no user":             {query: "?token=" + token(t, "", nil), status: 403},
		"two tokens":          {query: "?token=" + good, header: "Bearer " + good, status: 403},
		"in the query":        {query: "?token=" + good, status: 101},
		"in the header":       {header: "Bearer " + good, status: 101},
		"in a subprotocol":    {protocols: "bearer," + good, status: 101},
		"another subprotocol": {protocols: "chat," + good, status: 401},
	} {
		options := &websocket.DialOptions{HTTPHeader: http.Header{}}
		if test.header != "" {
			options.HTTPHeader.Set("Authorization", test.header)
		}
		if test.protocols != "" {
			options.Subprotocols = strings.Split(test.protocols, ",")
		}
		conn, response, err := websocket.Dial(t.Context(), s.webSocketURL+"/"+test.query, options)
		if response == nil || response.StatusCode != test.status {
			t.Errorf("%s: %v, %v; want %d", name, response, err, test.status)
			continue
		}
		if conn == nil {
			continue
		}
		if want := strings.Split(test.protocols, ",")[0]; conn.Subprotocol() != want {
			t.Errorf("%s: subprotocol %q, want %q", name, conn.Subprotocol(), want)
		}
		conn.CloseNow()
	}
}

// A stranger cannot fill the log.
func TestRefusedHandshakesAreLoggedNowAndThen(t *testing.T) {
	const handshakes = 200
	s := startIdentified(t)
	for range handshakes {
		_, response, err := websocket.Dial(t.Context(), s.webSocketURL+"/?token=bad", nil)
		if response == nil || response.StatusCode != 403 {
			t.Fatalf("%v, %v", response, err)
		}
	}
	s.logs.await(t, "handshake refused", "reason", "the token is malformed")
	lines := s.logs.find(func(e entry) bool { return e.text("msg") == "handshake refused" })
	if len(lines) >= handshakes {
		t.Errorf("%d lines", len(lines))
	}
}

func TestWhoMayBroadcast(t *testing.T) {
	s := startIdentified(t, "-broadcast-by", "nobody")
	for scope, want := range map[string]string{"broadcast": `{"accepted":`, "openid": `"code":"forbidden"`, "": `"code":"forbidden"`} {
		claims := jwt.MapClaims{"scope": scope}
		if scope == "" {
			claims = nil
		}
		c := signIn(t, s, token(t, "alice", claims))
		c.send(sendTemplate + `"hello"}`)
		if reply, err := c.rawReply(); err != nil || !strings.Contains(reply, want) {
			t.Errorf("scope %q: %s, %v; want %s", scope, reply, err, want)
		}
	}
}

// After its token has expired, a client gets nothing more, and its connection is closed.
func TestAnExpiredTokenEndsEverything(t *testing.T) {
	s := startIdentified(t)
	const leeway = 30 * time.Second
	expiry := time.Now().Add(5 * time.Second)
	brief := signIn(t, s, token(t, "brief", jwt.MapClaims{"exp": expiry.Add(-leeway).Unix()}))
	lasting := signIn(t, s, token(t, "lasting", nil))
	lasting.broadcast(`"before"`)
	if m, err := brief.message(); err != nil || string(m.Content) != `"before"` {
		t.Fatalf("%s, %v", m.Content, err)
	}
	time.Sleep(time.Until(expiry))
	lasting.broadcast(`"after"`)
	if m, err := lasting.message(); err != nil || string(m.Content) != `"before"` {
		t.Fatalf("%s, %v", m.Content, err)
	}
	if more, err := brief.read(); err == nil || brief.code != websocket.StatusNormalClosure {
		t.Errorf("%s, closed with %d: %v", more, brief.code, err)
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

// make token prints a token and a line for wscat, which connects with it.
func TestADevelopmentTokenConnectsWscat(t *testing.T) {
	s := startIdentified(t)
	tokens := exec.Command("make", "token", "USER=alice", "URL="+s.webSocketURL, "SCOPE=broadcast direct", "TTL=1m")
	tokens.Dir = testenv.Root()
	tokens.Env = append(os.Environ(), "SWS_JWT_SECRET="+jwtSecret, "SWS_JWT_AUDIENCE=chat")
	out, err := tokens.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	line := regexp.MustCompile(`(?m)^npx wscat -c \S+ -H "(Authorization: Bearer \S+)"$`).FindSubmatch(out)
	if line == nil {
		t.Fatalf("no line for wscat in %s", out)
	}
	alice := startWscat(t, s.target, "-H", string(line[1]), "--wait", "60", "-x", `{"action":"sendMessage","content":"hi"}`)
	shows(t, alice, `"sender":"alice"`)
	stranger := startWscat(t, s.target)
	shows(t, stranger, "401")
}
