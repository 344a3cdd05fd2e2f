package lambdaevent_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"serverless-websocket/domain/session"
)

// retryAfter returns for how long a reply tells the client to wait.
func retryAfter(t *testing.T, body string) int {
	t.Helper()
	var reply struct {
		Error struct {
			Code, Ref  string
			RetryAfter int
		}
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil || reply.Error.Code != "unavailable" || reply.Error.Ref != "r" {
		t.Fatalf("got %s, %v; want unavailable", body, err)
	}
	return reply.Error.RetryAfter
}

// Whatever could not be done, the client is told when to try again, and those that were
// refused together are not told the same.
func TestUnavailableSaysWhenToTryAgain(t *testing.T) {
	f := newFunctions()
	f.queue.err, f.store.err, f.kept.err = errors.New("down"), errors.New("down"), errors.New("down")
	told := map[int]bool{}
	for range 100 {
		for route, body := range map[string]string{
			"sendMessage": `{"content":1,"ref":"r"}`, "resume": `{"ref":"r"}`, "joinRoom": `{"room":"goals","ref":"r"}`,
			"authenticate": `{"token":"t","ref":"r"}`,
		} {
			seconds := retryAfter(t, f.request(t, route, body).Body)
			if told[seconds] = true; seconds < 2 || seconds > 10 {
				t.Errorf("%s: wait for %d seconds", route, seconds)
			}
		}
	}
	if len(told) < 5 {
		t.Errorf("they are all told to wait for %v seconds", told)
	}
	if response := f.request(t, "sendMessage", `{"ref":"r"}`); strings.Contains(response.Body, "retryAfter") {
		t.Errorf("for a message that will never be accepted: %s", response.Body)
	}
}

// A limit is no fault of the service: nobody need be woken. Seconds are rounded up, so that
// a client that waits that long does not come too early.
func TestAServiceThatIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunctions()
		f.useCases.Past.Limiter = session.NewReadLimiter(session.ReadLimits{AtOnce: 1, PerSecond: 1, Burst: 1})
		if got := f.request(t, "resume", `{}`); got.StatusCode != 200 {
			t.Fatalf("the first gets %+v", got)
		}
		for _, route := range []string{"loadMessages", "resume"} {
			response := f.request(t, route, `{"ref":"r"}`)
			if seconds := retryAfter(t, response.Body); seconds < 2 || seconds > 4 || response.StatusCode != 503 {
				t.Errorf("%s: wait for %d seconds, status %d", route, seconds, response.StatusCode)
			}
		}
		if log := f.log.String(); strings.Count(log, `"level":"WARN"`) != 2 || strings.Contains(log, "ERROR") {
			t.Errorf("logged: %s", log)
		}
	})
}
