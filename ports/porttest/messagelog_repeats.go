package porttest

import (
	"fmt"
	"sync"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// try returns a new message that alice sends with the ref.
func (c *logCase) try(ref string) domain.Message {
	c.Helper()
	m := c.message(`"tried"`)
	m.Ref = ref
	return m
}

// repeat returns what alice sends again with the ref.
func (c *logCase) repeat(ref string) domain.Message {
	c.Helper()
	m := c.try(ref)
	m.Again = true
	return m
}

// takes appends messages of which the log must take all.
func (c *logCase) takes(log ports.MessageLog, to domain.Recipients, messages ...domain.Message) {
	c.Helper()
	for _, m := range messages {
		c.becomes(log, to, m, "")
	}
}

// becomes appends a message alone, and checks of which other it is a repeat.
func (c *logCase) becomes(log ports.MessageLog, to domain.Recipients, m domain.Message, want domain.MessageID) {
	c.Helper()
	entries, err := log.Append(c.ctx, to, []domain.Message{m}, false)
	if err != nil || len(entries) != 1 {
		c.Fatalf("Append: %d entries, %v", len(entries), err)
	}
	if e := entries[0]; e.RepeatOf != want || (e.Position == domain.Position{}) != (want != "") {
		c.Errorf("%s with ref %q, again: %v, is at %q and a repeat of %q, want %q", m.ID, m.Ref, m.Again, e.Position, e.RepeatOf, want)
	}
}

// has checks the ids in a log.
func (c *logCase) has(to domain.Recipients, want ...domain.Message) {
	c.Helper()
	got := c.before(c.open(), to, domain.Position{}, 1000)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i].ID != want[i].ID {
			c.Fatalf("the log of %s has\n%s, want\n%s", to, brief(got), brief(want))
		}
	}
}

// repeats come after the first try or before it, through the same log and through others,
// at the end of the log and further back.
func (c *logCase) repeats() {
	var all []domain.Message
	for i, between := range []int{0, 1, 12, 0, 1, 12} {
		first, second := c.try(fmt.Sprint("r", i)), c.repeat(fmt.Sprint("r", i))
		if i >= 3 {
			first, second = second, first
		}
		log := c.open()
		c.takes(log, goals, first)
		others, _ := c.fill(log, goals, between)
		all = append(append(all, first), others...)
		for _, log := range []ports.MessageLog{log, c.open(), c.open(), log} {
			c.becomes(log, goals, second, first.ID)
		}
		third := c.repeat(fmt.Sprint("r", i))
		c.becomes(log, goals, third, first.ID)
		c.has(goals, all...)
		entries, err := c.open().Append(c.ctx, goals, []domain.Message{first, second}, true)
		if err != nil || entries[0].RepeatOf != "" || entries[0].Seq == 0 || entries[1] != (ports.Entry{RepeatOf: first.ID}) {
			c.Fatalf("both again: %+v, %v", entries, err)
		}
		c.has(goals, all...)
	}
}

// repeatsAtOnce come in one call with the first try or another repeat, and with messages
// that are none.
func (c *logCase) repeatsAtOnce() {
	log := c.open()
	known := c.try("known")
	c.takes(log, goals, known)
	for i, open := range []ports.MessageLog{log, c.open()} {
		ref := fmt.Sprint("r", i)
		batch := []domain.Message{c.try("x"), c.try(ref), c.repeat("known"), c.repeat(ref), c.try("x"), c.repeat(ref), c.message(`1`)}
		entries, err := open.Append(c.ctx, goals, batch, false)
		if err != nil || len(entries) != len(batch) {
			c.Fatalf("%d entries, %v", len(entries), err)
		}
		want := []domain.MessageID{"", "", known.ID, batch[1].ID, "", batch[1].ID, ""}
		seq := int64(2 + 4*i)
		for i, e := range entries {
			if e.RepeatOf != want[i] || want[i] == "" && e.Seq != seq {
				c.Errorf("message %d: %+v, want a repeat of %q or number %d", i, e, want[i], seq)
			}
			if want[i] == "" {
				seq++
			}
		}
	}
	all := c.before(log, goals, domain.Position{}, 1000)
	if len(all) != 9 {
		c.Errorf("the log has %s", brief(all))
	}
}

// noRepeats are messages with one ref that differ in what makes a repeat.
func (c *logCase) noRepeats() {
	log := c.open()
	first := c.try("r")
	c.takes(log, goals, first)
	bob, toCarol, otherRef, noRef := c.repeat("r"), c.repeat("r"), c.repeat("r2"), c.repeat("")
	bob.Sender, toCarol.To, noRef.Again = "bob", "carol", false
	plain := c.try("r")
	c.takes(log, goals, bob, toCarol, otherRef, noRef, plain)
	c.has(goals, first, bob, toCarol, otherRef, noRef, plain)
	elsewhere := c.repeat("r")
	c.takes(c.open(), chess, elsewhere)
	c.has(chess, elsewhere)
	c.becomes(log, chess, first, elsewhere.ID)
}

// repeatsMeet has several processes append a first try and its repeats, without knowing of
// each other, among other messages.
func (c *logCase) repeatsMeet() {
	const rounds = 6
	for round := range rounds {
		ref := fmt.Sprint("r", round)
		tries := []domain.Message{c.try(ref), c.repeat(ref), c.repeat(ref)}
		entries := make([]ports.Entry, len(tries))
		var group sync.WaitGroup
		for i, m := range tries {
			log, between := c.open(), c.messages(1)
			if round%2 == 0 { // one that knows where the log ends
				c.append(log, goals, c.messages(1)...)
			}
			group.Go(func() {
				if _, err := log.Append(c.ctx, goals, between, false); err != nil {
					c.Error(err)
				}
				got, err := log.Append(c.ctx, goals, []domain.Message{m}, false)
				if err != nil {
					c.Error(err)
					return
				}
				entries[i] = got[0]
			})
		}
		group.Wait()
		taken := 0
		for _, e := range entries {
			if e.Seq > 0 {
				taken++
			}
		}
		if taken != 1 {
			c.Errorf("round %d: the entries are %+v", round, entries)
		}
	}
	tried := 0
	for _, m := range c.before(c.open(), goals, domain.Position{}, 1000) {
		if m.Ref != "" {
			tried++
		}
	}
	if tried != rounds {
		c.Errorf("the log has %d tries, want %d", tried, rounds)
	}
}

// lateRepeats come at the end of the time in which they are known, and after it.
func (c *logCase) lateRepeats() {
	log := c.open()
	first, late := c.try("r"), c.try("late")
	c.takes(log, goals, first)
	c.pass(domain.RepeatWindow / 2)
	between := c.messages(2)
	c.append(log, goals, between...)
	c.pass(domain.RepeatWindow / 2)
	second, before := c.repeat("r"), c.repeat("late")
	second.SentAt = first.SentAt.Add(domain.RepeatWindow)
	c.becomes(log, goals, second, first.ID)
	c.becomes(c.open(), goals, second, first.ID)
	before.SentAt = late.SentAt.Add(domain.RepeatWindow)
	c.takes(log, goals, before)
	c.becomes(log, goals, late, before.ID) // it was on the queue for so long
	c.becomes(c.open(), goals, late, before.ID)
	c.pass(time.Second)
	third := c.repeat("r")
	third.SentAt = second.SentAt.Add(time.Millisecond)
	c.takes(log, goals, third)
	c.has(goals, first, between[0], between[1], before, third)
}
