package blackbox

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/integration/environments/testenv"
)

const jwtSecret = "a secret of the black-box tests, long enough"

// identity says how a service that requires tokens is started. They are for the audience
// chat.
type identity struct {
	keySet      string // its URL, instead of jwtSecret
	broadcastBy string // anyone
	origins     string // the default
	maxRooms    string // the default
}

// identitySuite must pass for every way to run the service with tokens. start gives each
// case its own service, whose log has every level.
func identitySuite(t *testing.T, start func(*testing.T, identity) *target) {
	for _, c := range []struct {
		name     string
		run      func(*testing.T, *target)
		identity identity
	}{
		{name: "the sender is the user of the token", run: senders},
		{name: "strangers cannot connect", run: strangers},
		{name: "who may broadcast", run: broadcasters, identity: identity{broadcastBy: "nobody"}},
		{name: "which pages may connect", run: pages, identity: identity{origins: "https://example.com, https://*.example.com"}},
		{name: "an expired token ends everything", run: expiredToken},
		{name: "wscat with a development token", run: developmentToken},
		{name: "clients in Node and Python", run: signedInClients},
		{name: "messages to users", run: oneToOne},
		{name: "rooms", run: inRooms},
		{name: "at most so many rooms", run: tooManyRooms, identity: identity{maxRooms: "2"}},
		{name: "who is in a room", run: presentUsers},
		{name: "scopes", run: scopes},
		{name: "a renewed token", run: renewal},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, identified(t, start, c.identity)) })
	}
	t.Run("tokens of a key set", func(t *testing.T) {
		key, keySet := servedKey(t)
		tokensOfAKeySet(t, identified(t, start, identity{keySet: keySet}), key)
	})
	t.Run("a browser", func(t *testing.T) { signedInBrowser(t, start) })
}

// identified starts a service. After the test, neither a token nor the secret may be in its
// log.
func identified(t *testing.T, start func(*testing.T, identity) *target, i identity) *target {
	tg := start(t, i)
	t.Cleanup(func() {
		log := lines(tg.logs.find(func(entry) bool { return true }))
		if strings.Contains(log, "eyJ") || strings.Contains(log, jwtSecret) {
			t.Errorf("a token or the secret is in the log:\n%s", head(log))
		}
	})
	return tg
}

// token returns a token for a user, with more claims.
func token(t *testing.T, user string, more jwt.MapClaims) string {
	t.Helper()
	return signed(t, jwt.New(jwt.SigningMethodHS256), []byte(jwtSecret), user, more)
}

func signed(t *testing.T, unsigned *jwt.Token, key any, user string, more jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": user, "aud": "chat", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range more {
		claims[name] = value
	}
	unsigned.Claims = claims
	text, err := unsigned.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signIn connects with a token in the query.
func signIn(t *testing.T, tg *target, token string) *client {
	t.Helper()
	return dial(t, tg.with(token))
}

// with returns the target with a token in its URL.
func (tg target) with(token string) *target {
	tg.webSocketURL += "/?token=" + token
	return &tg
}

// handshake connects with headers and returns the status. The connection, if there is one,
// is closed after the test.
func handshake(t *testing.T, url string, options *websocket.DialOptions) (*websocket.Conn, int) {
	t.Helper()
	conn, response, err := websocket.Dial(t.Context(), url, options)
	if response == nil {
		t.Fatal(err)
	}
	if conn != nil {
		t.Cleanup(func() { conn.CloseNow() })
	}
	return conn, response.StatusCode
}

func senders(t *testing.T, tg *target) {
	alice, bob := signIn(t, tg, token(t, "alice", nil)), signIn(t, tg, token(t, `"bob" <b@x>`, nil))
	alice.ask(`{"action":"sendMessage","content":"from eve","sender":"eve"}`, `"code":"invalid_recipient"`)
	alice.send(`{"action":"sendMessage","content":"from alice"}`)
	bob.send(`{"action":"sendMessage","content":"from bob"}`)
	senders := map[string]string{}
	for len(senders) < 2 { // on AWS, one may arrive twice
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

func strangers(t *testing.T, tg *target) {
	good := token(t, "alice", nil)
	for name, test := range map[string]struct {
		query, header, protocols string
		status                   int
	}{
		"no token":            {status: tg.challenge},
		"an empty token":      {query: "?token=", status: 403},
		"a bad token":         {query: "?token=" + good + "x", status: 403},
		"an expired token":    {query: "?token=" + token(t, "alice", jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}), status: 403},
		"another audience":    {query: "?token=" + token(t, "alice", jwt.MapClaims{"aud": "mail"}), status: 403},
		"no user":             {query: "?token=" + token(t, "", nil), status: 403},
		"two tokens":          {query: "?token=" + good, header: "Bearer " + good, status: 403},
		"in the query":        {query: "?token=" + good, status: 101},
		"in the header":       {header: "Bearer " + good, status: 101},
		"in a subprotocol":    {protocols: "bearer," + good, status: 101},
		"another subprotocol": {protocols: "chat," + good, status: tg.challenge},
	} {
		options := &websocket.DialOptions{HTTPHeader: http.Header{}}
		if test.header != "" {
			options.HTTPHeader.Set("Authorization", test.header)
		}
		if test.protocols != "" {
			options.Subprotocols = strings.Split(test.protocols, ",")
		}
		conn, status := handshake(t, tg.webSocketURL+"/"+test.query, options)
		if status != test.status {
			t.Errorf("%s: %d, want %d", name, status, test.status)
		} else if want := strings.Split(test.protocols, ",")[0]; conn != nil && conn.Subprotocol() != want {
			t.Errorf("%s: subprotocol %q, want %q", name, conn.Subprotocol(), want)
		}
	}
}

func broadcasters(t *testing.T, tg *target) {
	for scope, want := range map[string]string{"broadcast": `{"accepted":`, "openid": `"code":"forbidden"`, "": `"code":"forbidden"`} {
		claims := jwt.MapClaims{"scope": scope}
		if scope == "" {
			claims = nil
		}
		c := signIn(t, tg, token(t, "alice", claims))
		c.send(sendTemplate + `"hello"}`)
		if reply, err := c.rawReply(); err != nil || !strings.Contains(reply, want) {
			t.Errorf("scope %q: %s, %v; want %s", scope, reply, err, want)
		}
	}
}

func pages(t *testing.T, tg *target) {
	url := tg.with(token(t, "alice", nil)).webSocketURL
	for origin, want := range map[string]int{
		"https://example.com": 101, "https://a.example.com": 101, "https://example.com.evil.example": 403, "null": 403, "": 101,
	} {
		options := &websocket.DialOptions{HTTPHeader: http.Header{}}
		if origin != "" {
			options.HTTPHeader.Set("Origin", origin)
		}
		if _, status := handshake(t, url, options); status != want {
			t.Errorf("origin %q: %d, want %d", origin, status, want)
		}
	}
}

// After its token has expired, a client gets nothing more, and sends nothing more:
// standalone closes its connection by itself, and on AWS the next broadcast does.
func expiredToken(t *testing.T, tg *target) {
	const leeway = 30 * time.Second
	expiry := time.Now().Add(5 * time.Second)
	brief := signIn(t, tg, token(t, "brief", jwt.MapClaims{"exp": expiry.Add(-leeway).Unix()}))
	lasting := signIn(t, tg, token(t, "lasting", nil))
	before := lasting.broadcast(`"before"`)
	brief.wantMessage(before.ID)
	time.Sleep(time.Until(expiry))
	if !tg.exact { // standalone may have closed it by now
		brief.send(sendTemplate + `"too late"}`)
		if f, err := brief.reply(); err != nil || f.Error == nil || f.Error.Code != "unauthenticated" {
			t.Errorf("%+v, %v; want an error unauthenticated", f.Error, err)
		}
	}
	after := lasting.broadcast(`"after"`)
	lasting.wantMessage(after.ID)
	if more, err := brief.read(); err == nil || brief.code != websocket.StatusNormalClosure {
		t.Errorf("%s, closed with %d: %v", more, brief.code, err)
	}
	for _, m := range brief.messages {
		if m.ID != before.ID {
			t.Errorf("it gets %s", m.Content)
		}
	}
}

// developmentToken has make token print a token and a line for wscat, which connects with it.
func developmentToken(t *testing.T, tg *target) {
	tokens := exec.Command("make", "token", "USER=alice", "URL="+tg.webSocketURL, "SCOPE=broadcast direct", "TTL=1m")
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
	alice := startWscat(t, tg, "-H", string(line[1]), "--wait", "60", "-x", `{"action":"sendMessage","content":"hi"}`)
	shows(t, alice, `"sender":"alice"`)
	stranger := startWscat(t, tg)
	shows(t, stranger, strconv.Itoa(tg.challenge))
}

// tokensOfAKeySet connects with a token that the served key signed, and with one under the
// id of that key that another signed.
func tokensOfAKeySet(t *testing.T, tg *target, key ed25519.PrivateKey) {
	_, another, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for signer, want := range map[*ed25519.PrivateKey]int{&key: 101, &another: 403} {
		unsigned := jwt.New(jwt.SigningMethodEdDSA)
		unsigned.Header["kid"] = keyID
		url := tg.with(signed(t, unsigned, *signer, "alice", nil)).webSocketURL
		if _, status := handshake(t, url, nil); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
	if _, status := handshake(t, tg.with(token(t, "alice", nil)).webSocketURL, nil); status != 403 {
		t.Errorf("a token with a secret: %d", status)
	}
}

const keyID = "the key"

// servedKey returns a key, and the URL of a key set with it.
func servedKey(t *testing.T) (ed25519.PrivateKey, string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": keyID, "x": base64.RawURLEncoding.EncodeToString(public),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	t.Cleanup(server.Close)
	return private, server.URL
}
