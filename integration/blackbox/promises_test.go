package blackbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// wantContents checks that each client got the contents as the target promises.
func (tg *target) wantContents(t *testing.T, received [][]message, want []string) {
	t.Helper()
	if broken := tg.broken(received, want); broken != "" {
		t.Error(broken)
	}
}

// broken describes how the promise was broken that each client gets the contents: once
// and in order, or at least once, with repeats dropped.
func (tg *target) broken(received [][]message, want []string) string {
	wrong, first := 0, ""
	for i, messages := range received {
		got, want := contents(messages), want
		if !tg.exact {
			got, want = slices.Sorted(slices.Values(contents(once(messages)))), slices.Sorted(slices.Values(want))
		}
		if !slices.Equal(got, want) {
			wrong++
			first = cmp.Or(first, fmt.Sprintf("client %d got %d: %.300q", i, len(got), got))
		}
	}
	if wrong == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d clients did not get the %d messages that they should; %s", wrong, len(received), len(want), first)
}

// A post that timed out and was repeated is no fault on AWS, but it is one in a single
// process.
func TestPromises(t *testing.T) {
	m := func(id string) message { return message{ID: id, Content: json.RawMessage(id)} }
	want := []string{"1", "2", "3"}
	for name, row := range map[string]struct {
		got          []message
		exact, other bool // whether the promise is kept
	}{
		"all":                  {[]message{m("1"), m("2"), m("3")}, true, true},
		"one again":            {[]message{m("1"), m("2"), m("1"), m("3")}, false, true},
		"another order":        {[]message{m("1"), m("3"), m("2")}, false, true},
		"one missing":          {[]message{m("1"), m("3")}, false, false},
		"one for another":      {[]message{m("1"), m("2"), {ID: "3", Content: json.RawMessage("2")}}, false, false},
		"one under another id": {[]message{m("1"), m("2"), m("3"), {ID: "4", Content: json.RawMessage("3")}}, false, false},
	} {
		received := [][]message{{m("1"), m("2"), m("3")}, row.got}
		for exact, kept := range map[bool]bool{true: row.exact, false: row.other} {
			if broken := (&target{exact: exact}).broken(received, want); (broken == "") != kept {
				t.Errorf("%s, exact %v: %q", name, exact, broken)
			}
		}
	}
}

func contents(messages []message) (all []string) {
	for _, m := range messages {
		all = append(all, string(m.Content))
	}
	return all
}

// once drops messages whose id has been seen before.
func once(messages []message) []message {
	seen := make(map[string]bool)
	return slices.DeleteFunc(slices.Clone(messages), func(m message) bool {
		again := seen[m.ID]
		seen[m.ID] = true
		return again
	})
}

// wantDelivered waits until the log says that the message was delivered to n clients: by
// one pass or, on AWS, including the passes for left-over posts.
func (tg *target) wantDelivered(t *testing.T, id string, n int) {
	t.Helper()
	first := tg.logs.await(t, "fanned out", "messageIds", id)
	if tg.exact && (first.number("delivered") != n || first.number("requeued") != 0) {
		t.Errorf("%v, want %d delivered", first, n)
	}
	testenv.Eventually(t, patience, fmt.Sprintf("the message is delivered to %d", n), func() bool {
		delivered := 0
		for _, e := range tg.logs.find(func(e entry) bool { return e.text("msg") == "fanned out" && e.has("messageIds", id) }) {
			delivered += e.number("delivered")
		}
		return delivered == n
	})
}
