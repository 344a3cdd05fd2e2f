package blackbox

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

// startHistory starts a service with tokens and as many workers as there are by default.
func startHistory(t *testing.T) *lambdaService {
	t.Helper()
	cfg := identifiedLambda(identity{})
	cfg.workers = 0
	cfg.visibility = 20 * time.Second
	return startLambda(t, cfg)
}

// sendAll has the clients send at once, to everyone and to the room goals in turn, and
// returns the ids of what was accepted. A refusal as unavailable is followed by another try.
func sendAll(t *testing.T, senders []*client, each int) (ids []string) {
	t.Helper()
	accepted := make([][]string, len(senders))
	var group errgroup.Group
	for i, c := range senders {
		group.Go(func() (err error) {
			accepted[i], err = c.persist(each)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(accepted...)
}

func (c *client) persist(n int) (ids []string, err error) {
	for tries := 0; len(ids) < n; tries++ {
		address := ""
		if tries%2 == 1 {
			address = `"room":"goals",`
		}
		if err := c.trySend(fmt.Sprintf(`{"action":"sendMessage",%s"content":%d}`, address, tries)); err != nil {
			return ids, err
		}
		f, err := c.reply()
		switch {
		case err != nil:
			return ids, err
		case f.Accepted != nil:
			ids = append(ids, f.Accepted.ID)
		case f.Error == nil || f.Error.Code != "unavailable" || tries > 100*n:
			return ids, fmt.Errorf("%+v", f.Error)
		}
	}
	return ids, nil
}

// members signs users in who are in the room goals.
func members(t *testing.T, tg *target, n int) (all []*client) {
	t.Helper()
	for i := range n {
		c := users(t, tg, fmt.Sprint("user-", i))[0]
		c.join("goals")
		all = append(all, c)
	}
	return all
}

// wantLogged fails unless the logs have consecutive numbers from 1 on and all ids, and the
// reader got what they have.
func wantLogged(t *testing.T, reader *client, ids []string) {
	t.Helper()
	got := reader.untilAll(ids)
	missing := make(map[string]bool)
	for _, id := range ids {
		missing[id] = true
	}
	for _, channel := range []string{"everyone", "room:goals"} {
		log := reader.loadAll(channel, `"limit":100`)
		wantConsecutive(t, channel, log, 1)
		if n := len(once(slices.Clone(log))); n < len(log) {
			t.Logf("%s: %d of %d messages have a second number", channel, len(log)-n, len(log))
		}
		at := make(map[int64]message)
		for _, m := range log {
			at[m.Seq] = m
			delete(missing, m.ID)
		}
		for _, m := range got[channel] {
			if !same(m, at[m.Seq]) {
				t.Errorf("%s: got %s, the log has %s", channel, outline([]message{m}), outline([]message{at[m.Seq]}))
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d of %d messages are not in a log", len(missing), len(ids))
	}
}

// untilAll reads until all ids have come, and returns all messages by channel.
func (c *client) untilAll(ids []string) map[string][]message {
	c.t.Helper()
	missing, all := make(map[string]bool), make(map[string][]message)
	for _, id := range ids {
		missing[id] = true
	}
	for len(missing) > 0 {
		m, err := c.message()
		if err != nil {
			c.t.Fatalf("%d of %d messages have not come: %v", len(missing), len(ids), err)
		}
		delete(missing, m.ID)
		all[m.channel] = append(all[m.channel], m)
	}
	return all
}

// TestWorkersAppendAtOnce has two workers write to a log at the same time, again and again.
func TestWorkersAppendAtOnce(t *testing.T) {
	s := startHistory(t)
	all := members(t, s.target, 9)
	ids := sendAll(t, all[:1], 2) // the logs have begun
	var together atomic.Int32
	s.dynamoDB.Set(inPairs(&together))
	ids = append(ids, sendAll(t, all[1:], 12)...)
	for _, c := range all[:2] {
		wantLogged(t, c, ids)
	}
	if together.Load() == 0 {
		t.Error("no two appends were made at the same time")
	}
	t.Logf("%d pairs of appends", together.Load())
	wantEmpty(t, s.queue.DeadLetterURL)
}

// inPairs holds up a write until another one comes, but not for long, and counts the pairs.
func inPairs(pairs *atomic.Int32) awslocal.Fault {
	meet := make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		if operation == "PutItem" {
			select {
			case meet <- struct{}{}:
				pairs.Add(1)
			case <-meet:
			case <-time.After(100 * time.Millisecond): // there may be no other
			}
		}
		next.ServeHTTP(w, r)
	}
}

// TestLogsThrottled has DynamoDB refuse requests while messages are sent.
func TestLogsThrottled(t *testing.T) {
	for name, fault := range map[string]awslocal.Fault{
		"two of three":         lambdalocal.Throttle(3, throttled),
		"every other response": loseResponses(2),
	} {
		t.Run(name, func(t *testing.T) {
			s := startHistory(t)
			all := members(t, s.target, 6)
			s.dynamoDB.Set(fault)
			ids := sendAll(t, all[1:], 10)
			all[0].untilAll(ids)
			s.dynamoDB.Set(nil)
			wantLogged(t, all[1], ids)
		})
	}
}

// loseResponses returns a fault that has requests take effect, but loses the response of
// every n-th.
func loseResponses(n int64) awslocal.Fault {
	var count atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		if count.Add(1)%n != 0 {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		_, _ = io.Copy(io.Discard, r.Body) // it may be read
		panic(http.ErrAbortHandler)
	}
}

// TestLogsDown has DynamoDB refuse everything while messages are accepted. No one gets a
// message that is not in a log.
func TestLogsDown(t *testing.T) {
	s := startLambda(t, lambdaConfig{visibility: 20 * time.Second})
	c, reader := dial(t, s.target), dial(t, s.target)
	s.dynamoDB.Set(lambdalocal.Throttle(0, throttled))
	var ids []string
	for i := range 10 {
		ids = append(ids, c.broadcast(fmt.Sprint(i)).ID)
	}
	for _, id := range ids {
		testenv.Eventually(t, patience, "a worker has tried", func() bool {
			return len(s.logs.find(func(e entry) bool { return e.text("msg") == "not logged" && e.has("messageIds", id) })) > 0
		})
	}
	s.dynamoDB.Set(nil)
	got := reader.untilAll(ids)["everyone"]
	log := reader.loadAll("everyone", `"limit":100`)
	wantConsecutive(t, "everyone", log, 1)
	wantSame(t, "everyone", inOrder(got), log)
	wantEmpty(t, s.queue.DeadLetterURL)
}

// TestConversationsRefused has DynamoDB refuse what is put into conversations. Nobody gets a
// message before it is there, and none is lost or in a log twice.
func TestConversationsRefused(t *testing.T) {
	s := startHistory(t)
	c := users(t, s.target, "alice", "bob")
	alice, bob := c[0], c[1]
	s.dynamoDB.Set(func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		if operation == "BatchWriteItem" {
			awslocal.WriteError(w, http.StatusBadRequest, throttled)
			return
		}
		next.ServeHTTP(w, r)
	})
	alice.say(5, `"to":"bob",`)
	ofAlice := alice.take(5)["user"] // her own log takes them
	for _, m := range ofAlice {
		testenv.Eventually(t, patience, "a worker has tried", func() bool {
			return len(s.logs.find(func(e entry) bool { return e.text("msg") == "not logged" && e.has("messageIds", m.ID) })) > 0
		})
	}
	if got := alice.loadWith("bob", `"limit":100`); len(got) > 0 {
		t.Errorf("the conversation has %s", outline(got))
	}
	s.dynamoDB.Set(nil)
	ofBob := bob.take(5)["user"]
	wantConsecutive(t, "bob", ofBob, 1)
	wantWritten(t, "alice with bob", alice.loadWith("bob", `"limit":2`), ofAlice)
	wantWritten(t, "bob with alice", bob.loadWith("alice", `"limit":2`), ofBob)
	if missed, _ := bob.resumeAll(positions{"user": ofBob[0].epoch + ".1"}); len(missed["user"]) != 4 {
		t.Errorf("bob's log has %s after the first", outline(missed["user"]))
	}
	wantEmpty(t, s.queue.DeadLetterURL)
}

// TestConversationsWhoseAnswersAreLost has each message once.
func TestConversationsWhoseAnswersAreLost(t *testing.T) {
	s := startHistory(t)
	c := users(t, s.target, "alice", "bob")
	alice, bob := c[0], c[1]
	s.dynamoDB.Set(loseResponses(2))
	var ids []string
	for len(ids) < 10 { // some are refused as unavailable
		f, err := alice.tryWrite("bob")
		switch {
		case err != nil:
			t.Fatal(err)
		case f.Accepted != nil:
			ids = append(ids, f.Accepted.ID)
		}
	}
	bob.untilAll(ids)
	s.dynamoDB.Set(nil)
	written := bob.loadWith("alice", `"limit":3`)
	for _, m := range written {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == m.ID })
	}
	if n := len(once(slices.Clone(written))); len(ids) > 0 || n != len(written) {
		t.Errorf("missing are %q; the conversation is %s", ids, outline(written))
	}
}

// tryWrite sends a message to a user, and returns the reply.
func (c *client) tryWrite(to string) (frame, error) {
	if err := c.trySend(fmt.Sprintf(`{"action":"sendMessage","to":%q,"content":1}`, to)); err != nil {
		return frame{}, err
	}
	return c.reply()
}
