package blackbox

import (
	"fmt"
	"strings"
	"testing"
)

// historySuite must pass for every way to run a service that keeps messages, and requires
// tokens. start gives each case its own service, on AWS with so many workers, or with the
// template's if it is zero.
func historySuite(t *testing.T, start func(t *testing.T, workers int) *target) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *target)
	}{
		{"numbers of messages", numbers},
		{"numbers of messages to users", numbersOfUsers},
		{"the position of a room", roomPosition},
		{"what was missed", missedMessages},
		{"more than an answer has", moreThanAnAnswer},
		{"channels that share an answer", sharedAnswer},
		{"content byte for byte", historyByteForByte},
		{"channels refused one by one", refusedChannels},
		{"a position that never was", madeUpPositions},
		{"pages", loadedPages},
		{"requests for pages", badPages},
		{"large messages", largeHistory},
		{"conversations", conversation},
		{"large messages in conversations", largeConversation},
		{"requests for conversations", badConversations},
		{"messages sent again", sentAgain},
		{"messages of others with the same ref", sentAgainByOthers},
		{"refs stay private", refsStayPrivate},
		{"bad repeats", badRepeats},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, start(t, 1)) })
	}
	t.Run("clients that come and go", func(t *testing.T) { followers(t, start(t, 0)) })
}

// anonymousHistorySuite is for a service that keeps messages and requires no tokens.
func anonymousHistorySuite(t *testing.T, start func(*testing.T) *target) {
	t.Run("without a user", func(t *testing.T) { historyWithoutUser(t, start(t)) })
}

func TestStandaloneHistory(t *testing.T) {
	historySuite(t, func(t *testing.T, _ int) *target {
		return startIdentified(t, identity{})
	})
	anonymousHistorySuite(t, func(t *testing.T) *target { return startStandalone(t).target })
}

// Messages that are kept in memory are the same to clients.
func TestStandaloneHistoryInMemory(t *testing.T) {
	historySuite(t, func(t *testing.T, _ int) *target {
		return startStandalone(t, inMemory, "-auth", "jwt", "-jwt-audience", "chat", "-jwt-secret", jwtSecret).target
	})
	anonymousHistorySuite(t, startInMemory)
}

// inMemory is the flag of a service that writes nothing to disk.
const inMemory = "-data="

func startInMemory(t *testing.T) *target {
	t.Helper()
	return startStandalone(t, inMemory).target
}

func TestLambdaHistory(t *testing.T) {
	historySuite(t, func(t *testing.T, workers int) *target {
		cfg := identifiedLambda(identity{})
		cfg.workers = workers
		return startLambda(t, cfg).target
	})
	anonymousHistorySuite(t, func(t *testing.T) *target {
		return startLambda(t, lambdaConfig{workers: 1}).target
	})
}

func TestStandaloneWithoutHistory(t *testing.T) {
	suiteWithoutHistory(t, func(t *testing.T, tokens bool) *target {
		args := []string{"-history-days", "0"}
		if tokens {
			args = append(args, "-auth", "jwt", "-jwt-secret", jwtSecret)
		}
		return startStandalone(t, args...).target
	})
}

func TestLambdaWithoutHistory(t *testing.T) {
	suiteWithoutHistory(t, func(t *testing.T, tokens bool) *target {
		cfg := lambdaConfig{workers: 1}
		if tokens {
			cfg = identifiedLambda(identity{})
		}
		cfg.params = append(cfg.params, keepNothing)
		return startLambda(t, cfg).target
	})
}

// keepNothing is the parameter of a deployment without history.
const keepNothing = "historyDays=0"

// noHistory is for a service that keeps nothing.
func noHistory(t *testing.T, tg *target) {
	c := dial(t, tg)
	for _, request := range []string{`"resume"`, `"resume","positions":{"everyone":"k3.41"}`, `"loadMessages"`, `"loadMessages","limit":3`, `"loadMessages","with":"bob"`} {
		c.ask(`{"action":`+request+`,"ref":"r"}`, `{"error":{"code":"no_history",`)
	}
	c.ask(`{"action":"sendMessage","content":3,"ref":"r","again":true}`, `{"error":{"code":"no_history",`)
	a := c.broadcast(`1`)
	c.wantMessage(a.ID)
	c.send(sendTemplate + `2}`)
	for {
		text, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, `"seq"`) || strings.Contains(text, `"epoch"`) || strings.Contains(text, `"channel"`) {
			t.Errorf("got %s", text)
		}
		if strings.HasPrefix(text, `{"messages":[{"content":2,`) {
			return
		}
	}
}

// historyWithoutUser has a client that may read everyone's messages, and no others.
func historyWithoutUser(t *testing.T, tg *target) {
	c := dial(t, tg)
	start := c.resume(nil)
	if len(start) != 1 || start["everyone"].Position == "" || start["everyone"].Recovered != nil {
		t.Errorf("without positions: %+v", start)
	}
	a := c.broadcast(`"for all"`)
	c.wantMessage(a.ID)
	got := c.resume(positions{"everyone": start["everyone"].Position, "user": "k3.1", "room:x": "k3.1"})
	if e := got["everyone"]; len(e.Messages) != 1 || e.Messages[0].ID != a.ID || e.Messages[0].Seq != 1 {
		t.Errorf("everyone: %+v", e)
	}
	for _, channel := range []string{"user", "room:x"} {
		if e := got[channel]; e.Error == nil || e.Error.Code != "unauthenticated" || len(e.Messages) > 0 || e.Position != "" {
			t.Errorf("%s: %+v", channel, e)
		}
	}
	wantSame(t, "loadMessages", c.loadAll("everyone", `"limit":1`), numbered("everyone", got["everyone"].Position, got["everyone"].Messages))
	for _, room := range []string{"x", "goals"} {
		c.ask(fmt.Sprintf(`{"action":"loadMessages","room":%q,"ref":"r"}`, room), `"code":"unauthenticated"`)
	}
	c.ask(`{"action":"loadMessages","with":"bob","ref":"r"}`, `"code":"unauthenticated"`)
	c.ask(`{"action":"sendMessage","content":2,"ref":"r","again":true}`, `{"error":{"code":"unauthenticated",`)
}
