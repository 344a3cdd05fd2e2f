package porttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// LogHarness makes the logs under test.
type LogHarness struct {
	// NewLog makes an empty log for the case t, which also cleans it up. It keeps each
	// message for the retention, or up to a second longer.
	NewLog func(t *testing.T, retention time.Duration) LogUnderTest
	// Bubble says that the log takes its time from package time, and that it works in a
	// bubble of testing/synctest. Each case then runs in one.
	Bubble bool
}

// LogUnderTest is an empty log.
type LogUnderTest struct {
	// Open returns the log as another process sees it. A log that is in one process is
	// the same one each time.
	Open func() ports.MessageLog
	// Pass lets time pass for all that were opened. Nil means time.Sleep.
	Pass func(time.Duration)
}

// retention is how long logs under test keep messages: far longer than a case takes.
const retention = time.Hour

// TestMessageLog checks that the adapter fulfills the contract of ports.MessageLog.
func TestMessageLog(t *testing.T, h LogHarness) {
	for name, run := range map[string]func(*logCase){
		"numbers are consecutive":           (*logCase).consecutive,
		"empty log":                         (*logCase).empty,
		"concurrent appenders":              (*logCase).concurrent,
		"appended again":                    (*logCase).again,
		"appended by several at once":       (*logCase).meet,
		"partly known":                      (*logCase).partly,
		"after every position":              (*logCase).afterEach,
		"before every position":             (*logCase).beforeEach,
		"before by size":                    (*logCase).beforeSized,
		"positions that are not in the log": (*logCase).strange,
		"a place without messages":          (*logCase).place,
		"bytes pass unchanged":              (*logCase).bytes,
		"slices are not kept":               (*logCase).slices,
		"channels are apart":                (*logCase).apart,
		"largest envelopes":                 (*logCase).large,
		"cancelled context":                 (*logCase).cancelled,
		"expired messages are not served":   (*logCase).expired,
		"retention counts from the append":  (*logCase).renewed,
		"all have expired":                  (*logCase).allExpired,
		"repeats":                           (*logCase).repeats,
		"repeats in one call":               (*logCase).repeatsAtOnce,
		"repeats that are none":             (*logCase).noRepeats,
		"repeats by several at once":        (*logCase).repeatsMeet,
		"repeats of long ago":               (*logCase).lateRepeats,
	} {
		t.Run(name, func(t *testing.T) {
			if h.Bubble {
				synctest.Test(t, func(t *testing.T) { run(newLogCase(t, h)) })
			} else {
				run(newLogCase(t, h))
			}
		})
	}
}

// logCase is one case with its own log.
type logCase struct {
	*testing.T
	ctx  context.Context
	open func() ports.MessageLog
	pass func(time.Duration)
	now  time.Time
	made int // messages
}

func newLogCase(t *testing.T, h LogHarness) *logCase {
	log, ctx := h.NewLog(t, retention), t.Context()
	if !h.Bubble { // which notices when nothing goes on
		limited, cancel := context.WithTimeout(ctx, caseTimeout)
		t.Cleanup(cancel)
		ctx = limited
	}
	c := &logCase{T: t, ctx: ctx, open: log.Open, now: time.Now()}
	c.pass = func(d time.Duration) {
		if log.Pass == nil {
			time.Sleep(d)
		} else {
			log.Pass(d)
		}
		c.now = c.now.Add(d)
	}
	return c
}

// message returns a new message with content, as NewMessage does.
func (c *logCase) message(content string) domain.Message {
	c.Helper()
	c.made++
	id := domain.MessageID(fmt.Sprintf("01J%023d", c.made))
	m, err := domain.NewMessage(id, c.now, "alice", domain.Content(content))
	if err != nil {
		c.Fatal(err)
	}
	return m
}

// messages returns n messages of ten bytes of content.
func (c *logCase) messages(n int) (made []domain.Message) {
	c.Helper()
	for i := range n {
		made = append(made, c.message(fmt.Sprintf(`"%08d"`, i)))
	}
	return made
}

// append appends messages, checks that they got consecutive numbers of an epoch, and
// returns them with these numbers.
func (c *logCase) append(log ports.MessageLog, to domain.Recipients, messages ...domain.Message) ([]domain.Message, domain.Epoch) {
	c.Helper()
	entries, err := log.Append(c.ctx, to, messages, false)
	if err != nil || len(entries) != len(messages) {
		c.Fatalf("Append of %d messages: %d entries, %v", len(messages), len(entries), err)
	}
	at := positions(entries)
	for i, p := range at {
		if want := (domain.Position{Epoch: at[0].Epoch, Seq: at[0].Seq + int64(i)}); p != want || !p.Epoch.Valid() || p.Seq < 1 {
			c.Fatalf("position %d is %q, want %q", i, p, want)
		}
	}
	return numbered(messages, at), at[0].Epoch
}

// fill appends n messages in envelopes of one, two and three.
func (c *logCase) fill(log ports.MessageLog, to domain.Recipients, n int) (all []domain.Message, epoch domain.Epoch) {
	c.Helper()
	for size := 1; len(all) < n; size = size%3 + 1 {
		var some []domain.Message
		some, epoch = c.append(log, to, c.messages(min(size, n-len(all)))...)
		all = append(all, some...)
	}
	return all, epoch
}

// positions returns those of entries.
func positions(entries []ports.Entry) (at []domain.Position) {
	for _, e := range entries {
		at = append(at, e.Position)
	}
	return at
}

// numbered returns copies with the numbers of the positions.
func numbered(messages []domain.Message, at []domain.Position) []domain.Message {
	copies := make([]domain.Message, len(messages))
	for i, m := range messages {
		m.Seq = at[i].Seq
		copies[i] = m
	}
	return copies
}

// after reads all that follows a position, in pages of about that size.
func (c *logCase) after(log ports.MessageLog, to domain.Recipients, from domain.Position, size int) (all []domain.Message) {
	c.Helper()
	for range maxPages {
		s, err := log.After(c.ctx, to, from, size)
		if err != nil {
			c.Fatalf("After %q: %v", from, err)
		}
		c.consistent(s)
		all = append(all, s.Messages...)
		if n := len(s.Messages); n > 0 && s.Position != (domain.Position{Epoch: s.Epoch, Seq: s.Messages[n-1].Seq}) {
			c.Errorf("After %q: goes on at %q after %s", from, s.Position, brief(s.Messages))
		}
		if !s.More {
			return all
		}
		if len(s.Messages) == 0 {
			c.Fatalf("After %q: no message, but more", from)
		}
		from = s.Position
	}
	c.Fatalf("the log has not ended after %d pages", maxPages)
	return nil
}

// before reads all that is before a position, in pages of that many messages.
func (c *logCase) before(log ports.MessageLog, to domain.Recipients, from domain.Position, limit int) (all []domain.Message) {
	c.Helper()
	for range maxPages {
		s, err := log.Before(c.ctx, to, from, limit, 1<<30)
		if err != nil {
			c.Fatalf("Before %q: %v", from, err)
		}
		c.consistent(s)
		if n := len(s.Messages); n > limit || s.More && n < limit {
			c.Errorf("Before %q: %d messages of %d, more: %v", from, n, limit, s.More)
		}
		all = append(s.Messages[:len(s.Messages):len(s.Messages)], all...)
		if !s.More {
			return all
		}
		from = domain.Position{Epoch: s.Epoch, Seq: s.Messages[0].Seq}
	}
	c.Fatalf("the log has not begun after %d pages", maxPages)
	return nil
}

// consistent checks that a stretch has no hole, and an epoch if it has messages.
func (c *logCase) consistent(s ports.Stretch) {
	c.Helper()
	if (len(s.Messages) > 0) != s.Epoch.Valid() {
		c.Errorf("%d messages of the epoch %q", len(s.Messages), s.Epoch)
	}
	for i, m := range s.Messages {
		if m.Seq != s.Messages[0].Seq+int64(i) {
			c.Errorf("message %d after %d is number %d", i, s.Messages[0].Seq, m.Seq)
		}
	}
}

// holds checks what the whole log is, and where it ends.
func (c *logCase) holds(log ports.MessageLog, to domain.Recipients, epoch domain.Epoch, want []domain.Message) {
	c.Helper()
	if len(want) > 0 {
		c.same(c.after(log, to, domain.Position{Epoch: epoch, Seq: want[0].Seq}, 100), want[1:])
	}
	c.same(c.before(log, to, domain.Position{}, 100), want)
	end := domain.Position{Epoch: epoch}
	got, err := log.End(c.ctx, to)
	if len(want) > 0 {
		end.Seq = want[len(want)-1].Seq
	} else if _, _, nothing := got.Nothing(); nothing {
		end = got
	}
	if err != nil || got != end {
		c.Errorf("End: %q, %v; want %q", got, err, end)
	}
}

// same checks that the messages are the same in everything.
func (c *logCase) same(got, want []domain.Message) {
	c.Helper()
	if len(got) != len(want) {
		c.Errorf("%d messages, want %d:\n%s\n%s", len(got), len(want), brief(got), brief(want))
		return
	}
	for i, g := range got {
		w := want[i]
		if g.ID != w.ID || g.Seq != w.Seq || g.Sender != w.Sender || g.To != w.To || g.Ref != w.Ref || g.Again != w.Again ||
			!g.SentAt.Equal(w.SentAt) || string(g.Content) != string(w.Content) {
			c.Errorf("message %d is %s, want %s", i, brief([]domain.Message{g}), brief([]domain.Message{w}))
		}
	}
}

// brief describes messages for people.
func brief(messages []domain.Message) string {
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "[%d %s %v %.20q to %.20q: %.40q]", m.Seq, m.ID, m.SentAt, m.Sender, m.To, m.Content)
	}
	return b.String()
}

// refuses checks the error of After.
func (c *logCase) refuses(log ports.MessageLog, to domain.Recipients, from domain.Position, want ...error) {
	c.Helper()
	s, err := log.After(c.ctx, to, from, 1000)
	for _, one := range want {
		if errors.Is(err, one) {
			return
		}
	}
	c.Errorf("After %q: %d messages, %v; want %v", from, len(s.Messages), err, want)
}
