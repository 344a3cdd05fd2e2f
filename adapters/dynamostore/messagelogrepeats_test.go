package dynamostore_test

import (
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
)

// tries returns a message with a ref and what its sender sends again.
func (l *logTable) tries(ref string) (first, repeat domain.Message) {
	two := l.messages(2)
	two[0].Ref, two[1].Ref, two[1].Again = ref, ref, true
	return two[0], two[1]
}

// isRepeat appends the message and checks of which other it is a repeat.
func (l *logTable) isRepeat(log *dynamostore.MessageLog, m, of domain.Message) {
	l.Helper()
	entries, err := log.Append(l.Context(), goals, []domain.Message{m}, false)
	if err != nil || entries[0].RepeatOf != of.ID {
		l.Errorf("%s is at %+v, %v; want a repeat of %s", m.ID, entries, err, of.ID)
	}
}

func (l *logTable) did(want string) {
	l.Helper()
	if got := strings.Join(l.operations(), " "); got != want {
		l.Errorf("done was %s, want %s", got, want)
	}
}

// A first try costs a warm process nothing, and a process that has just begun no request.
func TestWhatRefsCost(t *testing.T) {
	l := newLogTable(t)
	l.fill(5)
	l.clock.pass(2 * time.Minute)
	log := l.behind(nil)
	for i, want := range []string{"Query PutItem", "PutItem", "PutItem"} {
		first, _ := l.tries("r")
		l.numbers(l.append(log, false, first), int64(6+i))
		l.did(want)
		l.clock.pass(20 * time.Minute)
	}
	_, repeat := l.tries("lost")
	l.append(log, false, repeat)
	l.did("Query PutItem") // it looks back
	late, _ := l.tries("lost")
	l.isRepeat(log, late, repeat)
	l.did("") // the process has put it
	l.fill(12)
	l.append(log, false, l.messages(1)...) // it has found the end again
	l.operations()
	l.isRepeat(log, late, repeat)
	l.did("")
}

// Before the first row of a log there is nothing to look for.
func TestWhatRefsCostInANewLog(t *testing.T) {
	l := newLogTable(t)
	for _, want := range []string{"Query PutItem", "Query PutItem", "Query Query PutItem"} { // three rows, and more
		log := l.behind(nil)
		for range 2 {
			first, _ := l.tries("r")
			l.append(log, false, first)
			l.did(want)
			want = "PutItem"
		}
	}
}

// A process knows the repeats that it has met or read, but not those from before.
func TestAFirstTryThatComesAfterItsRepeat(t *testing.T) {
	l := newLogTable(t)
	first, repeat := l.tries("r")
	l.clock.pass(time.Second)
	log := l.behind(nil)
	l.append(log, false, l.messages(1)...)
	l.append(l.open(), false, repeat)
	l.fill(9)
	l.append(log, false, l.messages(1)...) // it has gone past the repeat
	l.operations()
	l.isRepeat(log, first, repeat)
	l.did("")
	l.fill(20)
	recent := l.behind(nil)
	l.append(recent, false, l.messages(1)...) // it has read the last row alone
	l.operations()
	l.isRepeat(recent, first, repeat)
	l.did("Query Query Query")
	l.isRepeat(l.open(), first, repeat)
	if n := len(l.rows()); n != 1+1+9+1+20+1 {
		t.Errorf("the table has %d rows", n)
	}
}

// Between its look at the log and its put, another process appends the other try.
func TestTriesThatMeet(t *testing.T) {
	for _, behind := range []int{0, 3, 12} {
		for name, order := range map[string]bool{"first try": true, "repeat": false} {
			l := newLogTable(t)
			l.fill(2)
			mine, other := l.tries("r")
			if !order {
				mine, other = other, mine
			}
			log := l.behind(once("PutItem", meanwhile(func() {
				l.append(l.open(), false, other)
				l.fill(behind)
			})))
			l.isRepeat(log, mine, other)
			if n := len(l.rows()); n != 2+1+behind {
				t.Errorf("the %s meets the other and %d more: %d rows", name, behind, n)
			}
		}
	}
}

// The search goes as far back as a first try can have been accepted, and no further.
func TestHowFarARepeatIsLookedFor(t *testing.T) {
	l := newLogTable(t)
	l.opts.PageSize = 1
	l.fill(3)
	l.clock.pass(2 * time.Minute) // more than clocks differ
	first, _ := l.tries("r")
	l.append(l.open(), false, first)
	l.fill(1)
	l.clock.pass(domain.RepeatWindow - time.Second)
	_, repeat := l.tries("r")
	log := l.behind(nil)
	l.isRepeat(log, repeat, first)
	l.did("Query Query")
	_, other := l.tries("other")
	l.append(log, false, other)
	l.did("Query Query Query PutItem") // down to the last that is too old
	_, tooFar := l.tries("far")
	tooFar.Ref = "r"
	l.fill(10)
	l.numbers(l.append(log, false, tooFar), 17)
}
