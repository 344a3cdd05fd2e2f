package blackbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	clients "serverless-websocket/clients/go"
)

// followers has clients send, lose their connections at any time and come back. In the end
// all have handed on the same messages in the same order: those of the log, each once.
func followers(t *testing.T, tg *target) { wantTheLog(t, tg, comeAndGo(t, tg)) }

// comeAndGo returns clients that have handed on all messages that were accepted.
func comeAndGo(t *testing.T, tg *target) []*follower {
	t.Helper()
	const many, seed = 30, 2026
	p := &party{t: t, accepted: make(map[string]bool), ready: newBarrier(many), sent: newBarrier(many)}
	all := make([]*follower, many)
	var group errgroup.Group
	for i := range all {
		name := fmt.Sprint("user-", i)
		all[i] = &follower{
			party: p, name: name, at: tg.with(token(t, name, nil)), random: rand.New(rand.NewPCG(seed, uint64(i))),
			inbox: clients.NewInbox(), handed: make(map[string][]string), known: make(map[string]bool),
		}
		group.Go(all[i].run)
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d messages accepted, %d connections cut, %d of them before they had sent all", len(p.accepted), p.cuts, p.interrupted)
	return all
}

func wantTheLog(t *testing.T, tg *target, all []*follower) {
	t.Helper()
	reader := users(t, tg, "reader")[0]
	reader.join("goals")
	for _, channel := range []string{"everyone", "room:goals"} {
		var want []string
		for _, m := range once(reader.loadAll(channel, `"limit":100`)) {
			want = append(want, m.ID)
		}
		for _, f := range all { // what was not accepted may still be under way
			if got := f.handed[channel]; len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
				t.Errorf("%s handed on %d messages of %s, not those of the log, which has %d", f.name, len(got), channel, len(want))
			}
		}
	}
}

// party is what followers share.
type party struct {
	t           *testing.T
	ready, sent barrier

	mu                sync.Mutex
	accepted          map[string]bool // ids
	cuts, interrupted int
}

func (p *party) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// barrier is closed when all have arrived.
type barrier struct {
	missing *sync.WaitGroup
	passed  chan struct{}
}

func newBarrier(n int) barrier {
	b := barrier{missing: new(sync.WaitGroup), passed: make(chan struct{})}
	b.missing.Add(n)
	go func() { b.missing.Wait(); close(b.passed) }()
	return b
}

// follower does what docs/protocol.md tells clients to do.
type follower struct {
	*party
	name   string
	at     *target
	random *rand.Rand
	inbox  *clients.Inbox
	link   *link
	handed map[string][]string // ids by channel
	known  map[string]bool     // ids
}

// run returns when all accepted messages have been handed on.
func (f *follower) run() error {
	const lives = 6
	err := f.dial()
	if err == nil {
		defer func() { f.link.cut(); f.link.drain() }()
		err = f.open()
	}
	f.ready.missing.Done()
	<-f.ready.passed // all begin at the start of the log
	for life := 1; life <= lives && err == nil; life++ {
		err = f.live(life == 1, life == lives)
	}
	f.sent.missing.Done()
	if err == nil {
		err = f.settle()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

// live opens a connection, unless it is the first, and sends messages. The connection is
// cut at any time, unless it is the last.
func (f *follower) live(first, last bool) error {
	const sends = 5
	if !first {
		if err := f.dial(); err != nil {
			return err
		}
	}
	if !last {
		f.link.last = f.random.IntN(20)
		defer time.AfterFunc(f.atMost(time.Second), f.link.cut).Stop()
	}
	var err error
	if !first {
		err = f.open()
	}
	if err == nil {
		err = f.send(sends)
	}
	busy := err != nil
	for !last && err == nil {
		err = f.next(nil)
	}
	if f.link.isCut.Load() {
		f.link.drain()
		f.note(func() {
			if f.cuts++; busy {
				f.interrupted++
			}
		})
		return nil
	}
	return err
}

func (f *follower) atMost(d time.Duration) time.Duration {
	return time.Duration(f.random.Int64N(int64(d)))
}

// open joins the room, and catches up.
func (f *follower) open() error {
	reply, err := f.ask(`{"action":"joinRoom","room":"goals"}`)
	switch {
	case err != nil:
		return err
	case reply.Joined == nil:
		return fmt.Errorf("not joined: %+v", reply.Error)
	}
	events, _ := f.inbox.Joined("goals", reply.Joined.Position) // a resume follows anyway
	if err := f.take(events); err != nil {
		return err
	}
	return f.catchUp()
}

func (f *follower) send(n int) error {
	for range n {
		address := ""
		if f.random.IntN(2) == 0 {
			address = `"room":"goals",`
		}
		reply, err := f.ask(`{"action":"sendMessage",` + address + `"content":"from ` + f.name + `"}`)
		switch {
		case err != nil:
			return err
		case reply.Accepted == nil:
			return fmt.Errorf("not accepted: %+v", reply.Error)
		}
		f.note(func() { f.accepted[reply.Accepted.ID] = true })
		if err := f.listen(f.atMost(100 * time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// catchUp resumes until there is no more.
func (f *follower) catchUp() error {
	for more := true; more; {
		reply, err := f.ask(`{"action":"resume","positions":` + positions(f.inbox.Positions()).String() + `}`)
		if err == nil && reply.Resumed == nil {
			err = fmt.Errorf("not resumed: %+v", reply.Error)
		}
		var events []clients.Event
		if err == nil {
			events, more = f.inbox.Resumed(reply.Resumed)
			err = f.take(events)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle reads, and resumes now and then, until all has come that was accepted.
func (f *follower) settle() error {
	const pause = 500 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	deadline := time.Now().Add(3 * patience)
	for missing := -1; missing != 0; {
		if err := f.next(tick.C); err == errTick {
			missing = f.missing()
			if err := f.catchUp(); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d accepted messages are missing", missing)
		}
	}
	return nil
}

// missing returns how many accepted messages have not come, or -1 while some are sent.
func (f *follower) missing() (n int) {
	select {
	case <-f.sent.passed:
	default:
		return -1
	}
	f.note(func() {
		for id := range f.accepted {
			if !f.known[id] {
				n++
			}
		}
	})
	return n
}

// take hands messages on.
func (f *follower) take(events []clients.Event) error {
	for _, e := range events {
		switch id := e.Message.ID; {
		case e.Lost != "":
			return fmt.Errorf("messages of %s are lost: %s", e.Channel, e.Lost)
		case f.known[id]:
			return fmt.Errorf("%s comes twice in %s", id, e.Channel)
		default:
			f.known[id] = true
			f.handed[e.Channel] = append(f.handed[e.Channel], id)
		}
	}
	return nil
}
