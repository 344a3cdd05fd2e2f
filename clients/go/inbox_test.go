package client_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	client "serverless-websocket/clients/go"
)

// service is a channel's log and what it sends, which can get lost, come twice and in any
// order.
type service struct {
	epoch   int
	first   int64            // number of the oldest message kept
	log     []client.Message // from there on
	sent    []client.Frame   // may arrive at any time
	created int
	drops   int // how often messages were dropped
}

func (s *service) end() string {
	if len(s.log) == 0 {
		return fmt.Sprintf("t%d.0", s.drops)
	}
	return fmt.Sprintf("k%d.%d", s.epoch, s.first+int64(len(s.log))-1)
}

func (s *service) append(repeat bool) {
	id := fmt.Sprint("m", s.created)
	if repeat && len(s.log) > 0 {
		id = s.log[len(s.log)-1].ID
	} else {
		s.created++
	}
	m := client.Message{ID: id, Seq: s.first + int64(len(s.log))}
	s.log = append(s.log, m)
	f := client.Frame{Channel: "everyone", Epoch: fmt.Sprint("k", s.epoch), Messages: []client.Message{m}}
	s.sent = append(s.sent, f)
}

func (s *service) startOver() {
	s.epoch, s.first, s.log, s.drops = s.epoch+1, 1, nil, s.drops+1
}

// resume answers as the service does, with at most that many messages.
func (s *service) resume(position string, told bool, most int) client.Answer {
	yes, no := true, false
	a := client.Answer{Position: s.end()}
	if !told {
		return a
	}
	next := s.first
	if strings.HasPrefix(position, "t") {
		if position != fmt.Sprintf("t%d.0", s.drops) {
			a.Recovered, a.Reason = &no, "expired"
			return a
		}
	} else {
		var epoch int
		var seq int64
		if _, err := fmt.Sscanf(position, "k%d.%d", &epoch, &seq); err != nil {
			panic(position)
		}
		if epoch != s.epoch || seq >= s.first+int64(len(s.log)) {
			a.Recovered, a.Reason = &no, "reset"
			return a
		}
		if next = seq + 1; next < s.first {
			a.Recovered, a.Reason = &no, "expired"
			return a
		}
	}
	rest := s.log[next-s.first:]
	a.Recovered, a.Messages = &yes, rest[:min(most, len(rest))]
	a.More = len(a.Messages) < len(rest)
	if n := len(a.Messages); n == 0 && a.More {
		a.Position = position // other channels had all the room
	} else if n > 0 {
		a.Position = fmt.Sprintf("k%d.%d", s.epoch, a.Messages[n-1].Seq)
	}
	return a
}

// follower checks what an inbox hands on.
type follower struct {
	inbox  *client.Inbox
	ids    map[string]bool
	answer map[string]client.Answer // that is under way
	events []client.Event
}

func (f *follower) take(t *rapid.T, events []client.Event) {
	for _, e := range events {
		if e.Lost == "" && f.ids[e.Message.ID] {
			t.Fatalf("%s comes twice", e.Message.ID)
		}
		f.ids[e.Message.ID] = true
		f.events = append(f.events, e)
	}
}

func (f *follower) resume(t *rapid.T, s *service, most int) (more bool) {
	f.ask(s, most)
	return f.answered(t)
}

// ask has the service read its log.
func (f *follower) ask(s *service, most int) {
	position, told := f.inbox.Positions()["everyone"]
	f.answer = map[string]client.Answer{"everyone": s.resume(position, told, most)}
}

// answered gets the answer to the latest question, unless that was lost.
func (f *follower) answered(t *rapid.T) (more bool) {
	events, more := f.inbox.Resumed(f.answer)
	f.answer = nil
	f.take(t, events)
	return more
}

// Whatever gets lost, comes twice or overtakes: a client that follows the protocol sees
// each message once and in order, from its first position on, or is told that some are lost.
func TestAClientMissesNothingUnlessItIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &service{first: 1}
		f := &follower{inbox: client.NewInbox(), ids: map[string]bool{}}
		for range rapid.IntRange(0, 3).Draw(t, "before") {
			s.append(false)
			if rapid.Bool().Draw(t, "delivered") {
				f.take(t, f.inbox.Receive(s.sent[len(s.sent)-1]))
			}
		}
		begin := s.created
		f.resume(t, s, 3)
		disturbed := false
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) { s.append(s.created > begin && rapid.IntRange(0, 9).Draw(t, "repeat") == 0) },
			"deliver": func(t *rapid.T) {
				if len(s.sent) > 0 {
					f.take(t, f.inbox.Receive(rapid.SampledFrom(s.sent).Draw(t, "frame")))
				}
			},
			"deliver newest": func(t *rapid.T) {
				if len(s.sent) > 0 {
					f.take(t, f.inbox.Receive(s.sent[len(s.sent)-1]))
				}
			},
			"resume":   func(t *rapid.T) { f.resume(t, s, rapid.IntRange(0, 3).Draw(t, "most")) },
			"ask":      func(t *rapid.T) { f.ask(s, rapid.IntRange(0, 3).Draw(t, "most")) },
			"answered": func(t *rapid.T) { f.answered(t) },
			"start over": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					s.startOver()
					f.inbox.Positions() // no log starts over without a new connection
					f.answer = nil
					disturbed = true
				}
			},
			"expire": func(t *rapid.T) {
				if len(s.log) > 1 {
					s.first, s.log, s.drops = s.first+1, s.log[1:], s.drops+1
				}
			},
		})
		for f.resume(t, s, 2) {
		}
		if !disturbed {
			f.wantAll(t, s, begin)
		}
		if f.inbox.Missing() {
			t.Fatal("messages are held for ever")
		}
		told := slices.ContainsFunc(f.events, func(e client.Event) bool { return e.Lost != "" })
		for i := begin; i < s.created && !told; i++ {
			if id := fmt.Sprint("m", i); !f.ids[id] {
				t.Fatalf("%s is lost, and nobody says so: %+v", id, f.events)
			}
		}
	})
}

// The first message of a log need not wait: nothing can be missing before it.
func TestTheFirstMessageOfAnEmptyLog(t *testing.T) {
	s := &service{first: 1}
	inbox := client.NewInbox()
	inbox.Positions()
	inbox.Resumed(map[string]client.Answer{"everyone": s.resume("", false, 1)})
	s.append(false)
	s.append(false)
	if events := inbox.Receive(s.sent[1]); len(events) != 0 || !inbox.Missing() {
		t.Errorf("the second message alone makes %+v", events)
	}
	if events := inbox.Receive(s.sent[0]); len(events) != 2 || inbox.Missing() {
		t.Errorf("both make %+v", events)
	}
}

// A client gets messages from when it is connected on, and learns its position later.
func TestAMessageFromBeforeTheFirstPosition(t *testing.T) {
	s := &service{first: 1}
	s.append(false)
	s.append(false)
	inbox := client.NewInbox()
	inbox.Positions()
	inbox.Resumed(map[string]client.Answer{"everyone": s.resume("", false, 1)})
	if events := inbox.Receive(s.sent[1]); len(events) != 1 || inbox.Missing() {
		t.Errorf("a late message makes %+v", events)
	}
	position := inbox.Positions()["everyone"]
	inbox.Resumed(map[string]client.Answer{"everyone": s.resume(position, true, 1)})
	if events := inbox.Receive(s.sent[0]); len(events) != 0 || inbox.Missing() {
		t.Errorf("after a resume it makes %+v", events)
	}
}

// Answers and messages that are late bring no room back.
func TestARoomThatWasLeft(t *testing.T) {
	inbox := client.NewInbox()
	inbox.Joining("goals")
	inbox.Joined("goals", "k.7")
	inbox.Left("goals")
	frame := client.Frame{Channel: "room:goals", Epoch: "k", Messages: []client.Message{{ID: "a", Seq: 8}}}
	events, _ := inbox.Resumed(map[string]client.Answer{"room:goals": {Position: "k.9"}})
	if events = append(events, inbox.Receive(frame)...); len(events) > 0 || len(inbox.Positions()) > 0 {
		t.Errorf("%+v, %v", events, inbox.Positions())
	}
	inbox.Joining("goals")
	if events := inbox.Receive(frame); len(events) > 0 {
		t.Errorf("before the answer: %+v", events)
	}
	if events, resume := inbox.Joined("goals", "k.7"); len(events) != 1 || resume {
		t.Errorf("joined again: %+v, %v", events, resume)
	}
	inbox.Left("goals")
	inbox.Disconnected() // forgets that
	inbox.Resumed(map[string]client.Answer{"room:goals": {Position: "k.9"}})
	if at := inbox.Positions()["room:goals"]; at != "k.9" {
		t.Errorf("on another connection: %q", at)
	}
}

// Messages that wait are not looked at for each that comes: then the Inbox would need
// memory for all of them each time.
func TestManyMessagesWait(t *testing.T) {
	in := client.NewInbox()
	in.Resumed(map[string]client.Answer{"everyone": {Position: "k.0"}})
	receive := func(seq int64) int {
		m := client.Message{ID: fmt.Sprint(seq), Seq: seq}
		return len(in.Receive(client.Frame{Channel: "everyone", Epoch: "k", Messages: []client.Message{m}}))
	}
	for seq := range int64(9_000) {
		receive(seq + 2_001)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for seq := range int64(1_999) {
		if n := receive(seq+1) + receive(seq+1); n != 1 {
			t.Fatalf("%d events", n)
		}
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 50<<20 {
		t.Errorf("it has used %d bytes", after.TotalAlloc-before.TotalAlloc)
	}
	if n := receive(2_000); n != 9_001 {
		t.Errorf("%d events in the end", n)
	}
}

// wantAll checks the order: from the message of that number on, with holes only where the
// inbox said so.
func (f *follower) wantAll(t *rapid.T, s *service, begin int) {
	next := begin
	for i, e := range f.events {
		if e.Lost != "" {
			next = -1
			continue
		}
		var number int
		if _, err := fmt.Sscanf(e.Message.ID, "m%d", &number); err != nil {
			t.Fatal(err)
		}
		if number < begin {
			continue // before the first position: late, or never
		}
		if next >= 0 && number != next {
			t.Fatalf("event %d is %s, want m%d: %+v", i, e.Message.ID, next, f.events)
		}
		next = number + 1
	}
}
