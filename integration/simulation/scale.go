package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// workers is a size of the fan-out function.
type workers struct {
	inFlight, concurrency, memoryMB int
}

// measured is what messages to a table of open connections take.
type measured struct {
	connections int
	quota       float64 // posts a second
	workers     workers
	tokens      bool // whether the stage has users, and so a share for their messages

	delivered, refused int
	scanned, queried   atomic.Int64  // pages
	cold, warm         time.Duration // from sending a first and a second message to its last delivery
	invocations, peak  int           // for the first one
	dollars            float64
}

const (
	// postCPU is the time that a post takes a whole vCPU. A function has one with
	// vCPUMemoryMB, and a share of one with less.
	postCPU      = 60 * time.Microsecond
	vCPUMemoryMB = 1769
	// oneWay is how long a request to the gateway travels, and so does its answer.
	oneWay = 10 * time.Millisecond
	// pageTakes is how long the table takes to read a page of 1 MB.
	pageTakes = 80 * time.Millisecond
)

// account is the gateway of a run that measures time and cost: all connections are open,
// and only the quota refuses posts.
type account struct {
	quota *bucket

	mu                 sync.Mutex
	delivered, refused int
	last               time.Time
	arrived            map[domain.MessageID]time.Time // the last delivery of each message
}

// machine is the poster of one worker. Its CPU makes one request at a time.
type machine struct {
	*account
	cost time.Duration

	mu   sync.Mutex
	free time.Time // when the CPU has made all requests so far
}

func (m *machine) Prepare(payload []byte) (ports.Post, error) {
	var f frame
	if err := json.Unmarshal(payload, &f); err != nil {
		return nil, err
	}
	return func(context.Context, domain.ConnectionID) error { return m.post(f) }, nil
}

// Closing is never called: no row expires.
func (m *machine) Closing() ports.Post { return nil }

func (m *machine) post(f frame) error {
	time.Sleep(m.work() + oneWay)
	passes := m.arrive(f)
	time.Sleep(oneWay)
	if !passes {
		return ports.ErrThrottled
	}
	return nil
}

// work takes the CPU's next slice and returns how long it is until that ends.
func (m *machine) work() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.free.Before(now) {
		m.free = now
	}
	m.free = m.free.Add(m.cost)
	return m.free.Sub(now)
}

func (a *account) arrive(f frame) bool {
	passes := a.quota.take()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !passes {
		a.refused++
		return false
	}
	a.delivered++
	a.last = time.Now()
	for _, one := range f.Messages {
		a.arrived[one.ID] = a.last
	}
	return true
}

// table takes as long as a real table for each page, and counts pages.
type table struct {
	*memstore.Store
	pages *atomic.Int64
}

// channels does the same for subscriptions.
type channels struct {
	ports.SubscriptionStore
	pages *atomic.Int64
}

func (c channels) Subscribers(ctx context.Context, to domain.Recipients, segment domain.Segment, from domain.Cursor) (
	ports.Page, error) {
	if err := travel(ctx, pageTakes); err != nil {
		return ports.Page{}, err
	}
	c.pages.Add(1)
	return c.SubscriptionStore.Subscribers(ctx, to, segment, from)
}

func (t table) Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (ports.Page, error) {
	if err := travel(ctx, pageTakes); err != nil {
		return ports.Page{}, err
	}
	t.pages.Add(1)
	return t.Store.Scan(ctx, segment, from)
}

// measure sends two messages to everyone in the table, one after the other, without
// faults. It must be called in a synctest bubble. Bubbles can share a table.
func measure(rows *memstore.Store, m *measured) {
	w, a := m.newWorld(rows)
	stop := w.workers()
	m.cold = w.broadcast(0, a)
	m.invocations, m.peak = w.usage.invocations, w.usage.peak
	m.dollars = bill{
		posts: a.delivered, invocations: m.invocations, rows: m.connections,
		queueRequests:   w.jobs.stored + w.channelJobs.stored + w.parts.stored + w.retries.stored + 2*m.invocations, // a receive and a delete each
		gigabyteSeconds: w.usage.busy.Seconds() * float64(m.workers.memoryMB) / 1024,
	}.dollars()
	m.warm = w.broadcast(1, a)
	stop()
	m.delivered, m.refused = a.delivered, a.refused
}

// sustain sends messages at intervals and returns how long after the last one the last
// delivery is. It must be called in a synctest bubble.
func (m *measured) sustain(rows *memstore.Store, messages int, interval time.Duration) time.Duration {
	w, a := m.newWorld(rows)
	defer w.workers()()
	var last time.Time
	for i := range messages {
		time.Sleep(interval)
		last = time.Now()
		w.send(i)
	}
	w.drained()
	return a.last.Sub(last)
}

// newWorld has the event sources of serverless.yml.
func (m *measured) newWorld(rows *memstore.Store) (*world, *account) {
	w := newWorld(0, plan{
		jobs:     intake{workers: fanout.JobWorkers, batch: 10},
		channels: intake{workers: fanout.ChannelWorkers, batch: 10},
		parts:    intake{workers: m.share().PartWorkers(), batch: 1},
		retries:  intake{workers: fanout.RetryWorkers, batch: 10},
		timeout:  time.Minute, visibility: 390 * time.Second,
	}, nil)
	a := &account{quota: newBucket(m.quota, m.quota/2), arrived: make(map[domain.MessageID]time.Time)}
	w.newWorker = func() *fanout.Worker { return m.worker(w, a, rows) }
	return w, a
}

// broadcast sends the message with that number and returns the time to its last
// delivery.
func (w *world) broadcast(number int, a *account) time.Duration {
	start := time.Now()
	w.send(number)
	w.drained()
	return a.last.Sub(start)
}

// worker returns one of the workers, with its share of the quota.
func (m *measured) worker(w *world, a *account, rows *memstore.Store) *fanout.Worker {
	cpu := postCPU * vCPUMemoryMB / time.Duration(min(vCPUMemoryMB, m.workers.memoryMB))
	poster := &machine{account: a, cost: cpu}
	service := w.service
	service.Connections, service.Subscriptions = table{rows, &m.scanned}, channels{w.subscriptions.rows, &m.queried}
	service.Poster = poster
	service.Quota, service.Options = m.share(), fanout.Options{InFlight: m.workers.inFlight}
	return service.Worker()
}

// share is the workers' quota, as in functions/fanout with the default channelPercent.
func (m *measured) share() fanout.Quota {
	share := 0.01
	if m.tokens {
		share = channelShare
	}
	return fanout.Quota{PostsPerSecond: m.quota, Workers: m.workers.concurrency, ChannelShare: share}
}

// newTable returns a table with that many open connections.
func newTable(connections int) *memstore.Store {
	rows := memstore.New(rowsPerPage)
	for i := range connections {
		if err := rows.Put(context.Background(), row(i)); err != nil {
			panic(err) // an embedded store does not fail
		}
	}
	return rows
}

func row(number int) domain.Connection {
	return domain.Connection{ID: domain.ConnectionID(fmt.Sprintf("%08d=", number)), ExpiresAt: endOfTime}
}

// endOfTime is after every run: bubbles begin in the year 2000.
var endOfTime = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
