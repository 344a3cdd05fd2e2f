package tally

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"serverless-websocket/integration/tools/load/wire"
)

const grace = 20 * time.Microsecond

// world applies the same events to a Tally and to plain lists, from which it slowly and
// simply works out the counts at the end.
type world struct {
	*Tally
	now        int64
	senders    int
	broadcasts []struct {
		sent, accepted int64
		answered       bool
	}
	clients []*modelClient
}

type modelClient struct {
	real     *Client
	sessions []*modelSession
}

type modelSession struct {
	real       *Session
	opened     int64
	owedBy     int64 // accepted later than this, a broadcast is not owed
	ended, cut bool
	received   []int
}

func (c *modelClient) open() *modelSession {
	if n := len(c.sessions); n > 0 && !c.sessions[n-1].ended {
		return c.sessions[n-1]
	}
	return nil
}

// lastBefore is the last session that was open at that time.
func (c *modelClient) lastBefore(at int64) (last *modelSession) {
	for _, s := range c.sessions {
		if s.opened <= at {
			last = s
		}
	}
	return last
}

// owed are the broadcasts that the session should have.
func (w *world) owed(s *modelSession) (all []int) {
	for n, b := range w.broadcasts {
		if b.accepted != never && b.sent >= s.opened && !s.cut && (!s.ended || b.accepted <= s.owedBy) {
			all = append(all, n)
		}
	}
	return all
}

func missingFrom(had, owed []int) (n int) {
	for _, one := range owed {
		if !slices.Contains(had, one) {
			n++
		}
	}
	return n
}

// counts works out the expected Counts, as far as they matter here.
func (w *world) counts() Counts {
	var c Counts
	for _, client := range w.clients {
		var settled []int
		for i, s := range client.sessions {
			if i > 0 {
				c.Reconnects++
			}
			highest := make(map[int]int)
			for j, n := range s.received {
				sender := n % w.senders
				last, some := highest[sender]
				switch {
				case slices.Contains(s.received[:j], n):
					c.Duplicated++
					continue
				case some && n < last:
					if w.broadcasts[n].sent >= s.opened {
						c.OutOfOrder++
					}
				default:
					highest[sender] = n
				}
				c.Delivered++
			}
			c.Lost += missingFrom(s.received, w.owed(s))
			settled = slices.Concat(settled, s.received, w.owed(s))
		}
		if len(client.sessions) > 0 {
			always := &modelSession{opened: client.sessions[0].opened}
			for _, n := range w.owed(always) {
				switch {
				case slices.Contains(settled, n):
				case client.lastBefore(w.broadcasts[n].sent).cut:
					c.MissedCut++
				default:
					c.MissedAway++
				}
			}
		}
	}
	return c
}

func (w *world) missing() (n int) {
	for _, c := range w.clients {
		if s := c.open(); s != nil {
			n += missingFrom(s.received, w.owed(s))
		}
	}
	return n
}

// choose draws a suitable one, or makes rapid choose another action.
func choose(t *rapid.T, count int, fits func(i int) bool) int {
	var all []int
	for i := range count {
		if fits(i) {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		t.Skip("none")
	}
	return rapid.SampledFrom(all).Draw(t, "which")
}

func (w *world) chooseSession(t *rapid.T) *modelSession {
	return w.clients[choose(t, len(w.clients), func(i int) bool { return w.clients[i].open() != nil })].open()
}

func (w *world) chooseUnanswered(t *rapid.T) int {
	return choose(t, len(w.broadcasts), func(i int) bool {
		return w.broadcasts[i].sent != never && !w.broadcasts[i].answered
	})
}

func (w *world) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"": func(t *rapid.T) {
			w.now += rapid.Int64Range(1, 30).Draw(t, "later")
			if got, want := w.Missing(), w.missing(); got != want {
				t.Fatalf("%d missing, want %d", got, want)
			}
		},
		"schedule": func(t *rapid.T) {
			count := rapid.IntRange(1, 70).Draw(t, "count")
			if first := w.Schedule(count); first != len(w.broadcasts) {
				t.Fatalf("the first is %d", first)
			}
			for range count {
				w.broadcasts = append(w.broadcasts, struct {
					sent, accepted int64
					answered       bool
				}{never, never, false})
			}
		},
		"send": func(t *rapid.T) {
			n := choose(t, len(w.broadcasts), func(i int) bool { return w.broadcasts[i].sent == never })
			w.broadcasts[n].sent = w.now
			w.Sent(n, w.now)
		},
		"accept": func(t *rapid.T) {
			n := w.chooseUnanswered(t)
			w.broadcasts[n].accepted, w.broadcasts[n].answered = w.now, true
			w.Accepted(n, w.now)
			w.Accepted(n, w.now+1)     // a second time does not count
			w.Rejected(n, "long over") // neither does this
		},
		"reject": func(t *rapid.T) {
			n := w.chooseUnanswered(t)
			w.broadcasts[n].answered = true
			w.Rejected(n, "unavailable")
		},
		"new client": func(t *rapid.T) {
			w.clients = append(w.clients, &modelClient{real: w.NewClient(rapid.Bool().Draw(t, "slow"))})
		},
		"open": func(t *rapid.T) {
			c := w.clients[choose(t, len(w.clients), func(i int) bool { return w.clients[i].open() == nil })]
			c.sessions = append(c.sessions, &modelSession{real: c.real.Open(w.now), opened: w.now})
		},
		"leave": func(t *rapid.T) {
			s := w.chooseSession(t)
			s.ended, s.owedBy = true, w.now-grace.Microseconds()
			s.real.Left(w.now)
		},
		"cut": func(t *rapid.T) {
			s := w.chooseSession(t)
			s.ended, s.cut = true, true
			s.real.Cut()
		},
		"deliver": func(t *rapid.T) {
			s := w.chooseSession(t)
			batch := wire.Batch{At: w.now}
			from := choose(t, len(w.broadcasts), func(i int) bool { return w.broadcasts[i].sent != never })
			for n := from; n < min(len(w.broadcasts), from+rapid.IntRange(1, 70).Draw(t, "many")); n++ {
				if w.broadcasts[n].sent != never {
					batch.Stamps = append(batch.Stamps, wire.Stamp{N: n, Due: w.broadcasts[n].sent, Sent: w.broadcasts[n].sent})
				}
			}
			for _, stamp := range batch.Stamps {
				s.received = append(s.received, stamp.N)
			}
			s.real.Deliver(&batch)
		},
	}
}

func TestTally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		senders := rapid.IntRange(1, 3).Draw(t, "senders")
		w := &world{Tally: New(senders, 2, grace), senders: senders, now: 1}
		t.Repeat(w.actions())
		w.Close()
		got := w.Counts()
		got.DeliveredSlow, got.LastDelivery = 0, 0
		if diff := cmp.Diff(w.counts(), got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}
