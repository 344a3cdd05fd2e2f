package dynamostore

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"serverless-websocket/domain"
)

// FuzzDecodeMessages: whatever a body is, reading it does not panic, and what was read is
// written in the same way, unless a number was longer than it need be.
func FuzzDecodeMessages(f *testing.F) {
	m := domain.Message{ID: "01K4ZQ0000000000000000000A", SentAt: time.UnixMilli(1795338000123), Sender: "김", To: "b", Content: domain.Content(`"x"`)}
	first, again := m, m
	first.Ref, again.Ref, again.Again = "r", "+", true
	body := encodeMessages([]domain.Message{m, first, again})
	f.Add(body)
	f.Add(body[:len(body)-1])
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		messages, err := decodeMessages(body)
		if err != nil {
			return
		}
		again := encodeMessages(messages)
		if len(again) > len(body) || len(again) == len(body) && !bytes.Equal(again, body) {
			t.Errorf("%q became %q", body, again)
		}
	})
}

// A mark without a ref, and one that is none, are of no message.
func TestRefsWithoutAMark(t *testing.T) {
	m := domain.Message{ID: "01K4ZQ0000000000000000000A", SentAt: time.UnixMilli(1795338000123), Ref: "r", Content: domain.Content(`"x"`)}
	body := encodeMessages([]domain.Message{m})
	for _, bad := range []string{"\x02xr", "\x01=", "\x01+"} {
		if got, err := decodeMessages(bytes.Replace(body, []byte("\x02=r"), []byte(bad), 1)); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

// A process that appends to very many channels forgets some.
func TestEndsAreBounded(t *testing.T) {
	e, now := ends{of: make(map[domain.Recipients]seen)}, time.Now()
	end := seen{logEnd: logEnd{Seq: 1, End: 2, Epoch: "abc", ValidUntil: now.Add(time.Minute).Unix()}}
	for i := range maxEnds + 10 {
		to := domain.ToRoom(fmt.Sprint(i))
		e.set(to, end)
		e.set(to, end)
		if got, ok := e.get(to, now); !ok || got.logEnd != end.logEnd {
			t.Fatalf("the end of %s is %+v, %v", to, got, ok)
		}
	}
	if len(e.of) != maxEnds {
		t.Errorf("%d ends are remembered, want %d", len(e.of), maxEnds)
	}
	e.set(domain.ToEveryone(), end)
	if _, ok := e.get(domain.ToEveryone(), now.Add(time.Minute)); ok {
		t.Error("the end is used though its row has expired")
	}
}

// What is remembered of repeats is bounded too: in one log, and in all.
func TestRepeatsAreBounded(t *testing.T) {
	row := func(seq int64, n int) logRow {
		r := logRow{logEnd: logEnd{Seq: seq, End: seq + int64(n) - 1, Epoch: "abc", ValidUntil: 1 << 40}, At: seq}
		for range n {
			r.messages = append(r.messages, domain.Message{Ref: "r", Again: true, Content: domain.Content(`1`)})
		}
		return r
	}
	var s seen
	s.add(row(1, maxRepeats))
	full := s
	if len(s.repeats) != maxRepeats || s.since != 0 || s.repeats[0].Content != nil {
		t.Errorf("%d repeats since %d", len(s.repeats), s.since)
	}
	if s.add(row(maxRepeats+1, 1)); len(s.repeats) != 0 || s.since != maxRepeats+2 || len(full.repeats) != maxRepeats {
		t.Errorf("%d repeats since %d", len(s.repeats), s.since)
	}
	var one seen
	for i := range int64(10) { // others go on from the same end
		one.add(row(i+1, 1))
		other := one
		other.add(row(i+2, 1))
		one.add(row(i+2, 2))
		if len(other.repeats) != len(one.repeats)-1 || &other.repeats[0] == &one.repeats[0] {
			t.Error("two calls share what they have seen")
		}
	}
	e := ends{of: make(map[domain.Recipients]seen)}
	for i := range 10 {
		var some seen
		some.add(row(1, maxRepeats/4))
		for range 2 {
			e.set(domain.ToRoom(fmt.Sprint(i)), some)
		}
		if want := min(i+1, 4); len(e.of) != want || e.repeats != want*maxRepeats/4 {
			t.Errorf("%d repeats of %d logs are remembered", e.repeats, len(e.of))
		}
	}
}
