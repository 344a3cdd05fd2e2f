// Package simulation runs the real use cases in a simulated world: over a gateway, a
// table and queues that misbehave like those of AWS, in the virtual time of
// testing/synctest. After a run it checks the promises of the service. A seed determines
// its run, except for the order of goroutines within an instant, in which about one run
// in five differs.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/domain/publish"
	"serverless-websocket/domain/session"
	"serverless-websocket/functions/app"
)

// freshFor is how long after its row was written a socket may still be about to open.
const freshFor = 10 * time.Second

// world is everything around the use cases in one run.
type world struct {
	journal
	seed          seed
	plan          plan
	log           *slog.Logger
	healed        atomic.Bool // from now on nothing goes wrong
	gateway       *gateway
	store         *store
	subscriptions *subscriptions
	history       *history // nil: messages are not kept
	conversations *conversations
	// jobs and channels have accepted messages; parts and retries have what workers
	// requeued.
	jobs, channelJobs, parts, retries, dead *queue
	service                                 app.Service
	registry                                *session.Registry
	sources                                 []*eventSource
	usage                                   usage
	// newWorker returns the worker of a new execution environment.
	newWorker func() *fanout.Worker
	clients   []*client
	messages  []*message
	repeats   []letter // jobs that may have been processed once more than they were sent
	nonsenses sync.Map // bodies that are not jobs
}

// message is one that a client sent.
type message struct {
	number     int
	id         domain.MessageID // of the first try
	to         domain.Recipients
	sender     string // the user
	content    string
	sentAt     time.Time // when the sending began
	acceptedAt time.Time // zero if it was not

	ids []domain.MessageID // of all tries; guarded by the gateway's lock
}

// newWorld returns the world of a seed. It must be called in a synctest bubble.
// The run's events and log go to out, unless it is nil.
func newWorld(s seed, p plan, out io.Writer) *world {
	w := &world{seed: s, plan: p, journal: journal{out: out, start: time.Now()}, log: slog.New(slog.DiscardHandler)}
	if out != nil {
		w.log = slog.New(slog.NewTextHandler(&w.journal, nil))
	}
	w.gateway = &gateway{
		world: w, quota: p.account(),
		clients: make(map[domain.ConnectionID]*client), messages: make(map[domain.MessageID]*message),
		numbers: make(map[domain.Position]domain.MessageID),
	}
	w.store = &store{world: w, rows: memstore.New(p.pageSize), written: memstore.New(p.pageSize)}
	w.dead = newQueue(w, "dead", nil)
	w.subscriptions = &subscriptions{store: w.store, rows: memstore.NewSubscriptions(p.pageSize, w.store.written)}
	w.channelJobs = newQueue(w, "channels", w.dead)
	w.jobs, w.parts, w.retries = newQueue(w, "jobs", w.dead), newQueue(w, "parts", w.dead), newQueue(w, "retries", w.dead)
	w.service = app.Service{
		Log: w.log, Connections: w.store, Subscriptions: w.subscriptions,
		Jobs: w.jobs, Channels: w.channelJobs, Parts: w.parts, Retries: w.retries, DeadLetters: w.dead,
		Policy: domain.Policy{BroadcastBy: domain.Anyone}, Options: p.options,
	}
	if p.logged {
		w.history = newHistory(w)
		w.conversations = &conversations{store: w.store, rows: w.history.rows.Conversations()}
		w.service.History, w.service.Conversations = w.history, w.conversations
	}
	w.registry = w.service.Registry()
	w.newWorker = func() *fanout.Worker {
		service := w.service
		service.Poster, service.ChannelPoster, service.RetryPoster = w.posters()
		return service.Worker()
	}
	w.sources = []*eventSource{
		newEventSource(w, w.jobs, p.jobs),
		newEventSource(w, w.channelJobs, p.channels),
		newEventSource(w, w.parts, p.parts),
		newEventSource(w, w.retries, p.retries),
	}
	return w
}

// hazards returns the faults that can happen now.
func (w *world) hazards() hazards {
	if w.healed.Load() {
		return hazards{}
	}
	return w.plan.hazards
}

// run lets time pass: messages are sent while clients come and go and everything goes
// wrong that can. Then, without faults, the dead letters are redriven, and one last
// message is sent.
func (w *world) run() {
	defer w.workers()()

	w.storms()
	w.drained()
	w.checkDeadLetters()
	w.checkNonsense()
	w.healed.Store(true)
	w.redrive()
	w.checkDeliveries()
	time.Sleep(freshFor)
	w.broadcasts()
	for _, to := range w.channels() { // one by one: passes at the same instant do not repeat
		w.reach(len(w.messages), to)
		w.drained()
	}
	w.checkDeliveries()
	w.checkRows()
	w.checkSubscriptions()
	w.checkFollowers()
	w.checkConversations()
	w.checkRepeats()
}

// broadcasts sends to everyone until no row of an expired token is left: a worker closes
// what it finds as far as it has time.
func (w *world) broadcasts() {
	const most = 10
	for range most {
		w.send(len(w.messages))
		w.drained()
		rows := w.store.ids()
		if !slices.ContainsFunc(w.clients, func(c *client) bool { return rows[c.id] && c.expired() }) {
			return
		}
	}
}

// workers starts the event sources and returns the function that ends them.
func (w *world) workers() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, source := range w.sources {
		running.Go(func() { source.run(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// storms plays the part in which things go wrong.
func (w *world) storms() {
	var actors sync.WaitGroup
	for i := range w.plan.strays {
		w.stray(w.seed.of("stray", i), domain.ConnectionID(fmt.Sprintf("stray-%d=", i)))
	}
	for i := range w.plan.foreign {
		w.foreign(w.seed.of("foreign", i), i)
	}
	for i := range w.plan.nonsense {
		actors.Go(func() { w.nonsense(w.seed.of("nonsense", i), i) })
	}
	for i := range w.plan.clients {
		c := newClient(w.seed, domain.ConnectionID(fmt.Sprintf("client-%d=", i)), w.plan.hazards)
		w.add(c)
		if w.history != nil {
			c.follower = newFollower(w, c)
			if c.leaves >= 0 && w.seed.of("again", c.id).happens("", 0.7) {
				c.again = c.comesAgain(w.seed, w.plan.hazards)
				w.add(c.again)
			}
		}
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

func (w *world) add(c *client) {
	w.clients = append(w.clients, c)
	w.gateway.add(c)
}

// send sends the message with that number: to everyone, to a user or to a room, from a
// client that may have no right to.
func (w *world) send(number int) {
	s := w.seed.of("message", number)
	m, from := w.newMessage(number, domain.ToEveryone()), domain.Connection{}
	if len(w.clients) > 0 && number < w.plan.messages {
		c := w.clients[s.number("from", 0, len(w.clients)-1)]
		from, m.sender = domain.Connection{ID: c.id, User: c.user}, c.user
		m.to = pick(s, "to", domain.ToEveryone(), domain.ToEveryone(), domain.ToUser("user-0"), domain.ToRoom("room-0"), domain.ToRoom("room-1"))
	}
	w.sendAgain(m, from, w.try(m, from, m.id, false))
	w.keep(m)
}

// try sends a message under an id, and reports whether there was an answer that says more
// than that the service is unavailable.
func (w *world) try(m *message, from domain.Connection, id domain.MessageID, again bool) (answered bool) {
	w.gateway.sent(m, id)
	service := w.service
	service.NewID = func(time.Time) domain.MessageID { return id }
	run, ctx := newCaller("sender of "+string(id), time.Minute)
	defer run.cancel()
	command := publish.Command{From: from, To: m.to, Content: domain.Content(m.content), Ref: string(m.id), Again: again}
	_, err := service.Publisher().Publish(ctx, command)
	if err == nil && m.acceptedAt.IsZero() {
		m.acceptedAt = time.Now()
	}
	var refused *domain.Error
	return !errors.As(err, &refused) || refused.Code != domain.Unavailable
}

// reach queues a message that no client sent.
func (w *world) reach(number int, to domain.Recipients) {
	m := w.newMessage(number, to)
	message, err := domain.NewMessage(m.id, m.sentAt, "", domain.Content(m.content))
	if err != nil {
		panic(err) // all of it is well-formed
	}
	w.gateway.sent(m, m.id)
	m.acceptedAt = m.sentAt
	body := domain.Job{To: to, Messages: []domain.Message{message}}.Encode()
	w.channelJobs.add(&entry{id: string(m.id), body: body, visibleAt: time.Now()})
	w.keep(m)
}

func (w *world) newMessage(number int, to domain.Recipients) *message {
	content := fmt.Sprintf(`"message %d"`, number)
	if w.plan.large {
		content = fmt.Sprintf(`"message %d %s"`, number, strings.Repeat("x", domain.MaxPayload/2))
	}
	return &message{number: number, id: tryID(number, 0), to: to, content: content, sentAt: time.Now()}
}

// tryID is the id under which a message is sent for the nth time.
func tryID(number, n int) domain.MessageID {
	return domain.MessageID(fmt.Sprintf("01J%023d", 1000*n+number))
}

func (w *world) keep(m *message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, m)
}

// maxInvocations is more than any run needs. A run that takes more makes no progress.
const maxInvocations = 2_000

// drained waits until all work is done. A job leaves its queue only after the rest of it
// is on another queue, so they must be found empty twice.
func (w *world) drained() {
	for idle := 0; idle < 2; time.Sleep(time.Second) {
		idle++
		for _, source := range w.sources {
			if !source.queue.empty() {
				idle = 0
			}
		}
		if w.usage.begun() > maxInvocations {
			w.broken("the queues are not empty after %d invocations", maxInvocations)
			for _, source := range w.sources {
				source.queue.drain()
			}
		}
	}
}

// comesAgain notes that a body may be processed once more than it was sent.
func (w *world) comesAgain(body string) {
	l := letterOf(body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.repeats = append(w.repeats, l)
}

// redrive redrives the dead letters until there are none.
func (w *world) redrive() {
	for range 10 {
		letters := slices.DeleteFunc(w.dead.drain(), func(e *entry) bool { return w.isNonsense(e.body) })
		if len(letters) == 0 {
			return
		}
		for _, e := range letters {
			w.jobs.add(&entry{id: e.id, body: e.body, visibleAt: time.Now()})
		}
		w.drained()
	}
	w.broken("dead letters come back however often they are sent back")
}
