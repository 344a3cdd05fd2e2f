// Package simulation runs the real use cases in a simulated world: the ports
// over a gateway, a table and a queue that misbehave as those of AWS do, in the
// virtual time of testing/synctest. A run follows from its seed and can be
// repeated; after it the promises of the service are checked.
package simulation

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/broadcast"
)

// freshFor is how long a row may belong to a socket that is yet to open.
const freshFor = 10 * time.Second

// world is everything around the use cases in one run.
type world struct {
	journal
	seed     seed
	plan     plan
	log      *slog.Logger
	healed   atomic.Bool // from now on nothing goes wrong any more
	gateway  *gateway
	store    *store
	queue    *queue
	dead     *queue
	registry *broadcast.Registry
	// newWorker returns what a new execution environment of the function runs.
	newWorker func() *broadcast.FanOut
	clients   []*client
	messages  []*message
}

// message is one that a client sent.
type message struct {
	id         domain.MessageID
	sentAt     time.Time // when the sending began
	acceptedAt time.Time // zero if it was not
}

// newWorld returns the world of a seed. It must be called in a synctest bubble.
// The run's events and log go to out, unless it is nil.
func newWorld(s seed, p plan, out io.Writer) *world {
	w := &world{seed: s, plan: p, journal: journal{out: out, start: time.Now()}, log: slog.New(slog.DiscardHandler)}
	if out != nil {
		w.log = slog.New(slog.NewTextHandler(&w.journal, nil))
	}
	w.gateway = &gateway{
		world: w, quota: newBucket(p.hazards.quota, p.hazards.burst),
		clients: make(map[domain.ConnectionID]*client), contents: make(map[domain.MessageID]string),
	}
	w.store = &store{world: w, rows: memstore.New(p.pageSize)}
	w.dead = newQueue(w, "dead", nil)
	w.queue = newQueue(w, "jobs", w.dead)
	w.registry = &broadcast.Registry{Store: w.store, Lifetime: broadcast.DefaultLifetime}
	w.newWorker = func() *broadcast.FanOut {
		return broadcast.NewFanOut(w.store, w.gateway, w.queue, w.dead, w.log, p.options)
	}
	return w
}

// hazards returns what can go wrong now.
func (w *world) hazards() hazards {
	if w.healed.Load() {
		return hazards{}
	}
	return w.plan.hazards
}

// run lets the world's time pass: messages are sent while clients come and go
// and everything goes wrong that can; then, in good weather, the dead letters
// are sent back, and one last message finds whom it finds.
func (w *world) run() {
	ctx, stop := context.WithCancel(context.Background())
	var source sync.WaitGroup
	events := newEventSource(w)
	source.Go(func() { events.run(ctx) })
	defer source.Wait()
	defer stop()

	w.storms()
	w.drained()
	w.checkDeadLetters()
	w.healed.Store(true)
	w.redrive()
	w.checkDeliveries()
	time.Sleep(freshFor)
	w.send(len(w.messages))
	w.drained()
	w.checkDeliveries()
	w.checkRows()
}

// storms plays the part in which things go wrong.
func (w *world) storms() {
	var actors sync.WaitGroup
	for i := range w.plan.strays {
		w.stray(w.seed.of("stray", i), domain.ConnectionID(fmt.Sprintf("stray-%d=", i)))
	}
	for i := range w.plan.clients {
		c := newClient(w.seed, domain.ConnectionID(fmt.Sprintf("client-%d=", i)), w.plan.hazards)
		w.clients = append(w.clients, c)
		w.gateway.add(c)
		actors.Go(func() { w.live(c) })
	}
	for i := range w.plan.messages {
		actors.Go(func() {
			time.Sleep(w.seed.of("message", i).between("sent", firstMessage, lastMessage))
			w.send(i)
		})
	}
	actors.Wait()
}

// send sends the message of that number.
func (w *world) send(number int) {
	content := fmt.Sprintf(`"message %d"`, number)
	if w.plan.large {
		content = fmt.Sprintf(`"message %d %s"`, number, strings.Repeat("x", domain.MaxPayload/2))
	}
	m := &message{id: domain.MessageID(fmt.Sprintf("message-%02d", number)), sentAt: time.Now()}
	w.gateway.sent(m.id, content)
	sender := broadcast.Sender{Queue: w.queue, NewID: func(time.Time) domain.MessageID { return m.id }}
	run, ctx := newCaller("sender of "+string(m.id), time.Minute)
	defer run.cancel()
	if _, err := sender.Send(ctx, domain.Content(content)); err == nil {
		m.acceptedAt = time.Now()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, m)
}

// maxInvocations is more than any run needs. One that takes more makes no
// progress.
const maxInvocations = 2_000

// drained waits until the queue is empty.
func (w *world) drained() {
	for ; !w.queue.empty(); time.Sleep(time.Second) {
		if w.queue.handedOut() > maxInvocations {
			w.broken("the queue is not worked off after %d invocations", maxInvocations)
			w.queue.drain()
		}
	}
}

// redrive sends the dead letters back until there are none.
func (w *world) redrive() {
	for range 10 {
		letters := w.dead.drain()
		if len(letters) == 0 {
			return
		}
		for _, e := range letters {
			w.queue.add(&entry{id: e.id, body: e.body, visibleAt: time.Now()})
		}
		w.drained()
	}
	w.broken("dead letters come back however often they are sent back")
}
