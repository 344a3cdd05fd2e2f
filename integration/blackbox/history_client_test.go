package blackbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// answer is what the service says of a channel when a client resumes.
type answer struct {
	Recovered             *bool // nil without a position in the request
	Reason, Position, End string
	More                  bool
	Messages              []message
	Error                 *refused
}

// loadedPage is the answer to loadMessages.
type loadedPage struct {
	Messages []message
	Position string
	More     bool
	Ref      string
}

// positions are a client's places in its channels, by their names.
type positions map[string]string

func (p positions) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings alone
	}
	return string(text)
}

// resume asks for what came after the positions; nil names none.
func (c *client) resume(from positions) map[string]answer {
	c.t.Helper()
	return c.resumeRaw(from).Resumed
}

// rawFrame is a frame with its text.
type rawFrame struct {
	frame
	text string
}

func (c *client) resumeRaw(from positions) rawFrame {
	c.t.Helper()
	member := ""
	if from != nil {
		member = `"positions":` + from.String() + ","
	}
	c.send(`{"action":"resume",` + member + `"ref":"again"}`)
	reply := c.parsedReply()
	if reply.Resumed == nil || reply.Ref != "again" {
		c.t.Fatalf("resume %s: %.500s", from, reply.text)
	}
	return reply
}

func (c *client) parsedReply() (f rawFrame) {
	c.t.Helper()
	var err error
	if f.text, err = c.rawReply(); err == nil {
		err = f.parse(f.text)
	}
	if err != nil {
		c.t.Fatalf("%.500s: %v", f.text, err)
	}
	return f
}

// resumeAll resumes until there is no more. It returns all messages by channel, and the
// positions after them.
func (c *client) resumeAll(from positions) (missed map[string][]message, end positions) {
	c.t.Helper()
	missed, end = make(map[string][]message), maps.Clone(from)
	for range 1000 {
		reply, more := c.resumeRaw(end), false
		c.wantAnswerOfAFrame(reply)
		for channel, a := range reply.Resumed {
			if _, asked := end[channel]; asked != (a.Recovered != nil) || a.Error != nil || asked && !*a.Recovered {
				c.t.Fatalf("%s from %s: %+v", channel, end[channel], a)
			}
			if a.More != (a.End != "") {
				c.t.Errorf("%s: more %v, up to %q", channel, a.More, a.End)
			}
			missed[channel] = append(missed[channel], numbered(channel, a.Position, a.Messages)...)
			more = more || a.More
		}
		for channel, a := range reply.Resumed {
			end[channel] = a.Position
		}
		if !more {
			return missed, end
		}
	}
	c.t.Fatal("there is always more")
	return nil, nil
}

// wantAnswerOfAFrame checks that an answer fits a frame, or has one message alone.
func (c *client) wantAnswerOfAFrame(f rawFrame) {
	c.t.Helper()
	messages := 0
	for _, a := range f.Resumed {
		messages += len(a.Messages)
	}
	if len(f.text) > maxFrame && messages != 1 {
		c.t.Errorf("an answer of %d bytes has %d messages", len(f.text), messages)
	}
}

// numbered adds to messages of an answer what frames have beside them.
func numbered(channel, position string, messages []message) []message {
	epoch, _, _ := strings.Cut(position, ".")
	for i := range messages {
		messages[i].channel, messages[i].epoch = channel, epoch
	}
	return messages
}

// load asks for messages, with members such as `"room":"goals","limit":3`.
func (c *client) load(members string) loadedPage {
	c.t.Helper()
	c.send(`{"action":"loadMessages",` + members + `}`)
	reply := c.parsedReply()
	if reply.Loaded == nil {
		c.t.Fatalf("loadMessages %s: %.500s", members, reply.text)
	}
	return *reply.Loaded
}

// loadAll loads page by page, with members such as `"limit":3`, and returns all messages
// of a channel, oldest first.
func (c *client) loadAll(channel, members string) (all []message) {
	c.t.Helper()
	if room, ok := strings.CutPrefix(channel, "room:"); ok {
		members = fmt.Sprintf(`"room":%q,%s`, room, members)
	}
	for before := ""; ; {
		p := c.load(members + before)
		got := numbered(channel, p.Position, p.Messages)
		if n := len(got); n > 0 && at(got[n-1]) != p.Position {
			c.t.Errorf("%s: the newest is at %s, the position is %s", channel, at(got[n-1]), p.Position)
		}
		all = append(got, all...)
		if !p.More {
			return all
		}
		if len(got) == 0 {
			c.t.Fatalf("%s: there is more, but no message: %+v", channel, p)
		}
		before = fmt.Sprintf(`,"before":%q`, at(got[0]))
	}
}

// at returns the position of a message.
func at(m message) string { return fmt.Sprint(m.epoch, ".", m.Seq) }

// join returns the position in the answer.
func (c *client) join(room string) string {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"action":"joinRoom","room":%q,"ref":"j"}`, room))
	reply := c.parsedReply()
	if reply.Joined == nil || reply.Joined.Room != room || reply.Joined.Ref != "j" || reply.Joined.Position == "" {
		c.t.Fatalf("joinRoom %s: %.500s", room, reply.text)
	}
	return reply.Joined.Position
}

// take reads until n messages have come, and returns them by channel and in order. On
// AWS one may come twice.
func (c *client) take(n int) map[string][]message {
	c.t.Helper()
	byID, all := make(map[string]bool), make(map[string][]message)
	for len(byID) < n {
		m, err := c.message()
		if err != nil {
			c.t.Fatalf("%d of %d messages have come: %v", len(byID), n, err)
		}
		byID[m.ID] = true
		all[m.channel] = append(all[m.channel], m)
	}
	for channel := range all {
		all[channel] = inOrder(all[channel])
	}
	return all
}

// inOrder sorts messages by number, and drops those that came twice.
func inOrder(messages []message) []message {
	slices.SortFunc(messages, func(a, b message) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.Seq, b.Seq))
	})
	return slices.CompactFunc(messages, same)
}

func same(a, b message) bool {
	return at(a) == at(b) && a.ID == b.ID && a.Sender == b.Sender && a.SentAt.Equal(b.SentAt) && string(a.Content) == string(b.Content)
}

// wantSame fails unless both have the same messages in the same order.
func wantSame(t *testing.T, what string, got, want []message) {
	t.Helper()
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("%s: got %s, want %s", what, outline(got), outline(want))
	}
}

// wantConsecutive fails unless the messages have one epoch and the numbers from first on.
func wantConsecutive(t *testing.T, what string, messages []message, first int64) {
	t.Helper()
	for i, m := range messages {
		if m.epoch == "" || m.epoch != messages[0].epoch || m.Seq != first+int64(i) {
			t.Errorf("%s: the numbers are not consecutive from %d on: %s", what, first, outline(messages))
			return
		}
	}
}

// outline shows messages in short.
func outline(messages []message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", len(messages))
	for _, m := range messages[:min(len(messages), 20)] {
		fmt.Fprintf(&b, " %s=%.30s", at(m), m.Content)
	}
	return b.String()
}
