package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	client "serverless-websocket/clients/go"
	"serverless-websocket/domain"
)

// logged is a message in a channel's log.
type logged struct{ id, content string }

// logOf returns what the service keeps of a channel.
func (h *hour) logOf(to domain.Recipients) (all []logged) {
	before := domain.Position{}
	for more := true; more; {
		stretch, err := h.service.disk.Before(h.t.Context(), to, before, 1000, 1<<20)
		if err != nil {
			h.t.Error(err)
			return nil
		}
		for _, m := range slices.Backward(stretch.Messages) {
			var content string
			if err := json.Unmarshal([]byte(m.Content), &content); err != nil {
				h.t.Error(err)
			}
			all = append(all, logged{string(m.ID), content})
			before = domain.Position{Epoch: stretch.Epoch, Seq: m.Seq}
		}
		more = stretch.More
	}
	slices.Reverse(all)
	return all
}

// check compares what the clients have told with what the service keeps, and both with
// what was sent.
func (h *hour) check() {
	logs := map[domain.Recipients][]logged{}
	for _, f := range h.followers {
		for _, to := range f.channels {
			logs[to] = h.logOf(to)
		}
	}
	for to, log := range logs {
		h.expect("the log of "+to.String(), repeats(log))
	}
	for _, f := range h.followers {
		for channel, to := range f.channels {
			h.expect(f.name+", "+channel, differs(f.events[channel], logs[to]))
		}
		for channel, sent := range f.sent {
			h.expect(f.name+" sends to "+channel, misses(sent, logs[f.channels[channel]]))
		}
		h.expect(f.name+" sends to bob", misses(f.sent["user"], logs[domain.ToUser("bob")]))
		h.expect(f.name+" in the lobby", f.differsWithin(logs[domain.ToRoom("lobby")]))
		h.expect(f.name, f.misunderstood())
	}
}

func (h *hour) expect(where, problem string) {
	if problem != "" {
		h.t.Errorf("%s: %s", where, problem)
	}
}

// misunderstood returns the first frame that a client did not understand, if it came whole.
func (f *follower) misunderstood() string {
	for _, e := range f.errors {
		if strings.Contains(e, "not understood") && !strings.Contains(e, "unexpected end") {
			return e
		}
	}
	return ""
}

// repeats returns what is in a log twice.
func repeats(log []logged) string {
	seen := map[string]bool{}
	for _, m := range log {
		if seen[m.id] {
			return fmt.Sprintf("%.50s has two numbers", m.content)
		}
		seen[m.id] = true
	}
	return ""
}

// differs returns how events differ from a log; empty if they do not.
func differs(events []client.Event, log []logged) string {
	if problem := differsFrom(events, log, 0); problem != "" {
		return problem
	}
	if len(events) < len(log) {
		return fmt.Sprintf("%d of %d messages came", len(events), len(log))
	}
	return ""
}

// differsFrom returns how events differ from what is in a log from an index on.
func differsFrom(events []client.Event, log []logged, from int) string {
	for i, e := range events {
		switch at := from + i; {
		case e.Lost != "":
			return fmt.Sprintf("behind number %d, some are lost: %s", at, e.Lost)
		case at >= len(log):
			return fmt.Sprintf("%.50s is not in the log", e.Message.Content)
		case e.Message.ID != log[at].id || e.Message.Seq != int64(at+1):
			return fmt.Sprintf("behind number %d comes %d, %.50s", at, e.Message.Seq, e.Message.Content)
		}
	}
	return ""
}

// differsWithin returns what is wrong with the events of visits to a room: each has a part
// of the log, behind that of the one before.
func (f *follower) differsWithin(log []logged) string {
	begin, last := 0, int64(0)
	for _, end := range f.visits {
		if visit := f.events["room:lobby"][begin:end]; len(visit) > 0 {
			first := visit[0].Message.Seq
			if first <= last {
				return fmt.Sprintf("number %d comes after %d", first, last)
			}
			if problem := differsFrom(visit, log, int(first)-1); problem != "" {
				return problem
			}
			last = visit[len(visit)-1].Message.Seq
		}
		begin = end
	}
	return ""
}

// misses returns what is wrong with a log that should have messages once and in the order
// in which they were sent; empty if nothing is. The id that was accepted can be that of a
// repeat, so it does not count.
func misses(sent []*outgoing, log []logged) string {
	at := map[string][]int{}
	for i, m := range log {
		at[m.content] = append(at[m.content], i)
	}
	last := -1
	for _, one := range sent {
		switch all := at[one.content]; {
		case !one.accepted:
			return fmt.Sprintf("%.50s was never accepted", one.content)
		case len(all) != 1:
			return fmt.Sprintf("%.50s is there %d times, and its user sent it again %d times", one.content, len(all), one.repeats)
		case all[0] <= last:
			return fmt.Sprintf("%.50s, number %d, is before number %d, which was accepted before it was sent", one.content, all[0]+1, last+1)
		default:
			last = all[0]
		}
	}
	return ""
}

// summary says what has happened.
func (h *hour) summary() string {
	came, sent, repeats := 0, 0, 0
	for _, f := range h.followers {
		for channel := range f.channels {
			came += len(f.events[channel])
			sent += len(f.sent[channel])
			for _, one := range f.sent[channel] {
				repeats += one.repeats
			}
		}
	}
	return fmt.Sprintf("%d messages were sent, %d times again by their users, and came to clients %d times, over %d connections; "+
		"%d jobs were on disk at starts; the faults were %v", sent, repeats, came, h.network.dials, h.jobs, h.faults)
}
