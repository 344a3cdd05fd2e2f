package blackbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// entry is one structured log line.
type entry map[string]any

func (e entry) text(key string) string { s, _ := e[key].(string); return s }
func (e entry) number(key string) int  { n, _ := e[key].(float64); return int(n) }

// has reports whether the value of key is the text or a list that contains it.
func (e entry) has(key, text string) bool {
	list, _ := e[key].([]any)
	return e.text(key) == text || slices.Contains(list, any(text))
}

// logs collects a program's log, one line of JSON each. It is safe for concurrent use.
type logs struct {
	mu      sync.Mutex
	rest    []byte // of a line that is not complete
	entries []entry
	other   []string // lines that are not JSON
}

// Write receives the program's log stream. It never fails.
func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		var e entry
		if json.Unmarshal(line, &e) == nil {
			l.entries = append(l.entries, e)
		} else {
			l.other = append(l.other, string(line))
		}
		l.rest = rest
	}
}

// lines shows entries, one line each.
func lines(entries []entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// head returns the beginning of a text, where a panic is described.
func head(text string) string {
	const shown = 50
	all := strings.SplitAfterN(text, "\n", shown+1)
	if len(all) > shown {
		all[shown] = fmt.Sprintf("… and %d bytes more", len(all[shown]))
	}
	return strings.Join(all, "")
}

// find returns the entries for which the condition holds.
func (l *logs) find(condition func(entry) bool) []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []entry
	for _, e := range l.entries {
		if condition(e) {
			found = append(found, e)
		}
	}
	return found
}

// await waits for the first log line with the message in which key has the value.
func (l *logs) await(t testing.TB, msg, key, value string) entry {
	t.Helper()
	var found []entry
	testenv.Eventually(t, patience, fmt.Sprintf("log line %q with %s %s", msg, key, value), func() bool {
		found = l.find(func(e entry) bool { return e.text("msg") == msg && e.has(key, value) })
		return len(found) > 0
	})
	return found[0]
}

// unstructured returns output other than log lines: a panic, the report of a data race.
func (l *logs) unstructured() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(append(l.other, string(l.rest)), "\n")
}
