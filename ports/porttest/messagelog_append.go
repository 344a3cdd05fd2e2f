package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func (c *logCase) consecutive() {
	log := c.open()
	var all []domain.Message
	var first domain.Epoch
	for i, n := range []int{1, 3, 2, 40} {
		some, epoch := c.append(log, goals, c.messages(n)...)
		if want := int64(len(all) + 1); some[0].Seq != want || i > 0 && epoch != first {
			c.Errorf("appended as %s.%d after %d messages of %s", epoch, some[0].Seq, len(all), first)
		}
		first, all = epoch, append(all, some...)
		c.holds(log, goals, epoch, all)
	}
	c.holds(c.open(), goals, first, all)
	if at, err := log.Append(c.ctx, goals, nil, true); err != nil || len(at) > 0 {
		c.Errorf("Append of nothing: %v, %v", at, err)
	}
}

// concurrent has several append at once, some of them through the same log.
func (c *logCase) concurrent() {
	const appenders, envelopes = 8, 6
	logs := []ports.MessageLog{c.open(), c.open(), c.open()}
	var mu sync.Mutex
	var all []domain.Message
	var group sync.WaitGroup
	for i := range appenders {
		log := logs[i%len(logs)]
		var mine [][]domain.Message
		for n := range envelopes {
			mine = append(mine, c.messages(1+n%3))
		}
		group.Go(func() {
			for _, messages := range mine {
				entries, err := log.Append(c.ctx, goals, messages, false)
				at := positions(entries)
				if err != nil || at[len(at)-1].Seq != at[0].Seq+int64(len(at))-1 {
					c.Errorf("Append of %d messages: %q, %v", len(messages), at, err)
					return
				}
				mu.Lock()
				all = append(all, numbered(messages, at)...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.SortFunc(all, func(a, b domain.Message) int { return int(a.Seq - b.Seq) })
	if len(all) > 0 && (all[0].Seq != 1 || all[len(all)-1].Seq != int64(len(all))) {
		c.Errorf("%d messages have the numbers %d to %d", len(all), all[0].Seq, all[len(all)-1].Seq)
	}
	end, err := c.open().End(c.ctx, goals)
	if err != nil {
		c.Error(err)
	}
	c.holds(c.open(), goals, end.Epoch, all)
}

// again appends what was appended, also when much has followed.
func (c *logCase) again() {
	all, epoch := c.fill(c.open(), goals, 60)
	for _, part := range [][]domain.Message{all[59:], all[57:60], all[:1], all[10:31], all} {
		for _, log := range []ports.MessageLog{c.open(), c.open()} {
			entries, err := log.Append(c.ctx, goals, unnumbered(part), true)
			at := positions(entries)
			if err != nil || len(at) != len(part) {
				c.Fatalf("Append again of %d messages: %d positions, %v", len(part), len(at), err)
			}
			for i, p := range at {
				if want := (domain.Position{Epoch: epoch, Seq: part[i].Seq}); p != want {
					c.Errorf("message %d of %d has the position %q, want %q", i, len(part), p, want)
				}
			}
		}
	}
	c.holds(c.open(), goals, epoch, all)
}

func unnumbered(messages []domain.Message) []domain.Message {
	return numbered(messages, make([]domain.Position, len(messages)))
}

// meet has several processes append the same messages, without knowing of each other.
func (c *logCase) meet() {
	var all []domain.Message
	var epoch domain.Epoch
	for _, n := range []int{1, 5} {
		messages := c.messages(n)
		found := make([][]domain.Position, 6)
		var group sync.WaitGroup
		for i := range found {
			log := c.open()
			group.Go(func() {
				entries, err := log.Append(c.ctx, goals, messages, false)
				if err != nil {
					c.Error(err)
				}
				found[i] = positions(entries)
			})
		}
		group.Wait()
		for _, at := range found {
			if len(at) != n || !slices.Equal(at, found[0]) {
				c.Fatalf("appended as %q and as %q", found[0], at)
			}
		}
		all, epoch = append(all, numbered(messages, found[0])...), found[0][0].Epoch
		c.holds(c.open(), goals, epoch, all)
	}
}

// partly appends messages of which some were appended before.
func (c *logCase) partly() {
	log := c.open()
	known, epoch := c.append(log, goals, c.messages(3)...)
	c.append(log, goals, c.messages(1)...)
	fresh := c.messages(2)
	mixed := []domain.Message{fresh[0], known[2], fresh[1], known[0]}
	entries, err := c.open().Append(c.ctx, goals, unnumbered(mixed), true)
	at := positions(entries)
	if err != nil || len(at) != 4 {
		c.Fatalf("%q, %v", at, err)
	}
	for i, want := range []int64{5, 3, 6, 1} {
		if at[i] != (domain.Position{Epoch: epoch, Seq: want}) {
			c.Errorf("message %d has the position %q, want %d", i, at[i], want)
		}
	}
	all := c.before(log, goals, domain.Position{}, 1000)
	if len(all) != 6 || all[4].ID != fresh[0].ID || all[5].ID != fresh[1].ID {
		c.Errorf("the log is %s", brief(all))
	}
}

// bytes has what encodings tend to change.
func (c *logCase) bytes() {
	log := c.open()
	contents := []string{
		`"<b>&서버리스 😀"`, `{ "b":1,  "a":1.0 , "b":2}`, "\t[1,\r\n 2e+05 ]\n", "\"\u2028\u2029\"", "\"\uFFFE\uFFFF\uFFFD\"",
		`"\u0000\ud800\/\"\\"`, "\"\u0085\uFEFF\u00A0é\u0065\u0301\"", `12345678901234567890.000`, `false`,
	}
	var messages []domain.Message
	for i, content := range contents {
		m := c.message(content)
		m.SentAt = m.SentAt.AddDate(-i, 0, 0)
		m.Sender = []string{"", `"김" <a&b>`, "a\x00\n\u2028\uFFFE", strings.Repeat("é", domain.MaxRecipient/2)}[i%4]
		m.To = []string{"", "", `b\"` + "\t\U0010FFFF"}[i%3]
		m.Ref = []string{"", "+", "=\x00\n\u2028\uFFFE", strings.Repeat("é", domain.MaxRef/2)}[i%4]
		m.Again = m.Ref != "" && i > 4
		messages = append(messages, m)
	}
	for _, to := range []domain.Recipients{domain.ToEveryone(), domain.ToUser("a\x00\u2028\uFFFE\"/%김"), domain.ToRoom("-._~/9")} {
		want, epoch := c.append(log, to, messages...)
		c.holds(log, to, epoch, want)
	}
}

func (c *logCase) slices() {
	log, messages := c.open(), c.messages(2)
	want, epoch := c.append(log, goals, messages...)
	for i := range want {
		want[i].Content = slices.Clone(want[i].Content)
	}
	copy(messages[0].Content, `"changed!"`)
	messages[1] = messages[0]
	s, err := log.Before(c.ctx, goals, domain.Position{}, 1000, 1<<30)
	if err != nil || len(s.Messages) != 2 {
		c.Fatalf("%+v, %v", s, err)
	}
	s.Messages[0] = s.Messages[1]
	c.holds(log, goals, epoch, want)
}

func (c *logCase) apart() {
	log := c.open()
	channels := []domain.Recipients{domain.ToEveryone(), domain.ToUser("goals"), goals, domain.ToRoom("everyone"), domain.ToRoom("goals/")}
	wants, epochs := make([][]domain.Message, len(channels)), make([]domain.Epoch, len(channels))
	for round := range 3 {
		for i, to := range channels {
			some, epoch := c.append(log, to, c.messages(1+i)...)
			if want := int64(round*(1+i) + 1); some[0].Seq != want {
				c.Errorf("%s goes on at %d, want %d", to, some[0].Seq, want)
			}
			wants[i], epochs[i] = append(wants[i], some...), epoch
		}
	}
	for i, to := range channels {
		c.holds(log, to, epochs[i], wants[i])
	}
	// The same message can be in several channels.
	same := c.messages(1)
	for _, to := range channels {
		c.append(log, to, same...)
	}
	c.holds(log, chess, "", nil)
}

// large appends one message of 126 KB, and as many of the smallest as a frame takes.
func (c *logCase) large() {
	log := c.open()
	all, epoch := c.append(log, goals, c.message(`"`+strings.Repeat(`\"`, 63<<10)+`"`))
	for _, letter := range []string{"x", "é", "\u2028", "\x7f"} {
		m := c.message(`1`)
		room := domain.MaxPayload - domain.EnvelopeSize(goals, "", m)
		m.Content = domain.Content(`"` + strings.Repeat(letter, (room-1)/len(letter)) + `"`)
		some, _ := c.append(log, goals, m)
		all = append(all, some...)
	}
	var many []domain.Message
	for {
		m := c.message(fmt.Sprint(len(many) % 10))
		m.Sender = ""
		if len(domain.Pack(goals, "", append(many, m), domain.MaxPayload)) > 1 {
			break
		}
		many = append(many, m)
	}
	some, _ := c.append(log, goals, many...)
	c.same(c.after(log, goals, domain.Position{Epoch: epoch, Seq: all[0].Seq}, 200_000), append(all[1:], some...))
	c.same(c.before(log, goals, domain.Position{Epoch: epoch, Seq: some[0].Seq}, 2), all)
}

func (c *logCase) cancelled() {
	log := c.open()
	all, epoch := c.append(log, goals, c.messages(2)...)
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, appended := log.Append(ctx, goals, c.messages(1), false)
	_, again := log.Append(ctx, goals, c.messages(1), true)
	_, end := log.End(ctx, goals)
	_, after := log.After(ctx, goals, domain.Position{Epoch: epoch, Seq: all[0].Seq}, 1)
	_, before := log.Before(ctx, goals, domain.Position{}, 1, 1<<30)
	for call, err := range map[string]error{"Append": appended, "Append again": again, "End": end, "After": after, "Before": before} {
		if !errors.Is(err, context.Canceled) {
			c.Errorf("%s under a cancelled context: %v, want context.Canceled", call, err)
		}
	}
	c.holds(log, goals, epoch, all)
}
