package fanout_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/domain/publish"
	"serverless-websocket/ports"
)

// world is a worker with its surroundings: the embedded store and queues, and
// connections that answer posts as a test wants.
type world struct {
	t                 *testing.T
	store             *memstore.Store
	subscribers       *memstore.Subscriptions
	faultyStore       *faultyStore
	faultySubscribers *faultySubscribers
	queue             *memqueue.Queue
	faultyQueue       *faultyQueue
	history           *faultyLog
	conversed         *faultyConversations
	dead              *memqueue.Queue
	poster            *poster
	newWorker         func(ports.MessageLog) *fanout.Worker
	worker            *fanout.Worker
	sender            *publish.Publisher
	log               *bytes.Buffer
	ids               int
}

// newWorld must be called in a synctest bubble if time passes in the test. Its pages are
// small, so that a few connections fill several.
func newWorld(t *testing.T, options fanout.Options) *world {
	return newWorldOf(t, 3, options)
}

func newWorldOf(t *testing.T, pageSize int, options fanout.Options) *world {
	store := memstore.New(pageSize)
	w := &world{
		t:           t,
		store:       store,
		subscribers: memstore.NewSubscriptions(pageSize, store),
		dead:        memqueue.New(memqueue.Config{}),
		poster: &poster{
			mu:     new(sync.Mutex),
			answer: make(map[domain.ConnectionID]func(int) error),
			got:    make(map[domain.ConnectionID][]string),
			read:   make(map[string][]string),
		},
		log: new(bytes.Buffer),
	}
	w.queue = memqueue.New(memqueue.Config{
		DeadLetters: w.dead, Visibility: time.Minute, ReceiveBytes: memqueue.DefaultMaxBytes, // all that waits
	})
	w.faultyStore = &faultyStore{ConnectionStore: w.store}
	w.faultySubscribers = &faultySubscribers{SubscriptionStore: w.subscribers}
	w.faultyQueue = &faultyQueue{Queue: w.queue}
	log := slog.New(slog.NewJSONHandler(&lockedWriter{w: w.log}, nil))
	w.newWorker = func(history ports.MessageLog) *fanout.Worker {
		outside := fanout.Ports{
			Connections: w.faultyStore, Subscriptions: w.faultySubscribers, Poster: w.poster, Log: history,
			Parts: w.faultyQueue, Retries: w.faultyQueue, DeadLetters: w.dead,
		}
		if w.conversed != nil {
			outside.Conversations = w.conversed
		}
		return fanout.New(outside, log, options)
	}
	w.worker = w.newWorker(nil)
	w.sender = &publish.Publisher{Jobs: w.queue, Channels: w.queue, Subscriptions: w.subscribers, NewID: w.newID, Policy: domain.Policy{BroadcastBy: domain.Anyone}}
	return w
}

func (w *world) newID(time.Time) domain.MessageID {
	w.ids++
	return domain.MessageID(fmt.Sprintf("01J%023d", w.ids))
}

// connect registers n old connections c-0, c-1, … and returns their ids.
func (w *world) connect(n int) []domain.ConnectionID {
	var all []domain.ConnectionID
	for i := range n {
		id := domain.ConnectionID(fmt.Sprintf("c-%d", i))
		w.register(id, time.Now().Add(-time.Hour))
		all = append(all, id)
	}
	return all
}

func (w *world) register(id domain.ConnectionID, at time.Time) {
	w.put(domain.Connection{ID: id, RegisteredAt: at, ExpiresAt: at.Add(2 * time.Hour)})
}

func (w *world) put(c domain.Connection) {
	if err := w.store.Put(context.Background(), c); err != nil {
		w.t.Fatal(err)
	}
}

// subscribe registers old connections and has them subscribe.
func (w *world) subscribe(to domain.Recipients, user string, ids ...domain.ConnectionID) {
	w.t.Helper()
	for _, id := range ids {
		at := time.Now().Add(-time.Hour)
		c := domain.Connection{ID: id, User: user, RegisteredAt: at, ExpiresAt: at.Add(2 * time.Hour)}
		w.put(c)
		if err := w.subscribers.Subscribe(context.Background(), domain.Subscription{To: to, Connection: c}, 10); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) registered() []domain.ConnectionID {
	var all []domain.ConnectionID
	for cursor := domain.Cursor(""); ; {
		page, err := w.store.Scan(context.Background(), domain.Segment{}, cursor)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range page.Connections {
			all = append(all, c.ID)
		}
		if cursor = page.Next; cursor == "" {
			slices.Sort(all)
			return all
		}
	}
}

func (w *world) send(content string) domain.MessageID {
	w.t.Helper()
	m, err := w.sender.Publish(context.Background(), publish.Command{To: domain.ToEveryone(), Content: domain.Content(content)})
	if err != nil {
		w.t.Fatal(err)
	}
	return m.ID
}

// work hands the messages on the queue to the worker, batch by batch, until none are
// left, and returns the number of batches. Time passes as needed.
func (w *world) work() (batches int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for w.queue.Depth() != (memqueue.Depth{}) {
		messages, err := w.queue.Receive(ctx, 1000)
		if err != nil { // what was left has become a dead letter
			break
		}
		w.handle(ctx, messages)
		batches++
	}
	if depth := w.queue.Depth(); depth != (memqueue.Depth{}) {
		w.t.Fatalf("the queue is not worked off after an hour: %+v", depth)
	}
	return batches
}

// workUntil is work with a deadline for each invocation.
func (w *world) workUntil(deadline time.Duration) {
	w.t.Helper()
	for invocations := 0; w.queue.Depth().Ready > 0; invocations++ {
		if invocations > 100 {
			w.t.Fatal("no progress")
		}
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		if failed := w.handle(ctx, w.receive()); len(failed) > 0 {
			w.t.Errorf("failed: %v", failed)
		}
		if ctx.Err() != nil {
			w.t.Error("the deadline has passed")
		}
		cancel()
	}
}

func (w *world) handle(ctx context.Context, messages []memqueue.Message) (failed []string) {
	var deliveries []fanout.Delivery
	for _, m := range messages {
		deliveries = append(deliveries, fanout.Delivery{ID: m.ID, Body: m.Body, Again: m.ReceiveCount > 1})
	}
	failed = w.worker.Handle(ctx, deliveries)
	for _, m := range messages {
		if !slices.Contains(failed, m.ID) {
			w.queue.Delete(m.Receipt)
		}
	}
	return failed
}

// receive takes the messages that are on the queue now.
func (w *world) receive() []memqueue.Message {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	messages, err := w.queue.Receive(ctx, 1000)
	if err != nil {
		w.t.Fatal("nothing on the queue")
	}
	return messages
}

// deadLetters empties the dead-letter queue.
func (w *world) deadLetters() []memqueue.Message {
	if w.dead.Depth().Ready == 0 {
		return nil
	}
	messages, err := w.dead.Receive(context.Background(), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range messages {
		w.dead.Delete(m.Receipt)
	}
	return messages
}

// wantGot fails unless the connection got these contents in this order.
func (w *world) wantGot(id domain.ConnectionID, contents ...string) {
	w.t.Helper()
	if got := w.poster.contents(w.t, id); !slices.Equal(got, contents) {
		w.t.Errorf("%s got %d contents, %.300q, want %d, %.300q", id, len(got), got, len(contents), contents)
	}
}

// poster delivers in memory. A connection without an answer is open.
type poster struct {
	mu       *sync.Mutex // shared by posters that share the maps
	answer   map[domain.ConnectionID]func(try int) error
	got      map[domain.ConnectionID][]string
	read     map[string][]string // the contents of payloads, which many connections got
	tries    map[domain.ConnectionID]int
	posts    int
	inFlight int
	peak     int
	hold     func(domain.ConnectionID) // called while the post is under way
	denied   func() bool               // nobody may be posted to
	tooLarge bool                      // every payload is
	asked    error                     // the answer to posts to nobody; ErrGone if nil
}

func (p *poster) Prepare(payload []byte) (ports.Post, error) {
	if p.tooLarge || len(payload) > domain.MaxPayload {
		return nil, ports.ErrTooLarge
	}
	return func(ctx context.Context, id domain.ConnectionID) error {
		p.enter()
		defer p.leave()
		if p.hold != nil {
			p.hold(id)
		}
		return p.deliver(id, string(payload))
	}, nil
}

func (p *poster) Closing() ports.Post {
	return func(_ context.Context, id domain.ConnectionID) error {
		p.enter()
		defer p.leave()
		return p.deliver(id, "closed")
	}
}

func (p *poster) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.posts++
	p.inFlight++
	p.peak = max(p.peak, p.inFlight)
}

func (p *poster) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
}

func (p *poster) deliver(id domain.ConnectionID, payload string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tries == nil {
		p.tries = make(map[domain.ConnectionID]int)
	}
	p.tries[id]++
	switch {
	case p.denied != nil && p.denied():
		return fmt.Errorf("403: %w", ports.ErrRejected)
	case id == ports.Nobody:
		return cmp.Or(p.asked, ports.ErrGone)
	}
	if answer := p.answer[id]; answer != nil {
		if err := answer(p.tries[id]); err != nil {
			return err
		}
	}
	p.got[id] = append(p.got[id], payload)
	return nil
}

// contents returns what the connection got, as the raw JSON of each content.
func (p *poster) contents(t *testing.T, id domain.ConnectionID) []string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, payload := range p.got[id] {
		if _, ok := p.read[payload]; !ok {
			p.read[payload] = contentsOf(t, payload)
		}
		all = append(all, p.read[payload]...)
	}
	return all
}

func contentsOf(t *testing.T, payload string) (all []string) {
	t.Helper()
	var frame struct {
		Messages []struct{ Content json.RawMessage }
	}
	if err := json.Unmarshal([]byte(payload), &frame); err != nil {
		t.Fatalf("a bad frame %.300q: %v", payload, err)
	}
	for _, m := range frame.Messages {
		all = append(all, string(m.Content))
	}
	return all
}

func always(err error) func(int) error { return func(int) error { return err } }

// until answers err to that many tries and then accepts.
func until(tries int, err error) func(int) error {
	return func(try int) error {
		if try <= tries {
			return err
		}
		return nil
	}
}

// faultyStore, faultySubscribers and faultyQueue fail when a test sets their error.
type faultyStore struct {
	ports.ConnectionStore
	failScan func(domain.Cursor) error
	onScan   func(context.Context)
	onDelete func(context.Context) error
}

func (s *faultyStore) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	if s.onDelete != nil {
		if err := s.onDelete(ctx); err != nil {
			return err
		}
	}
	return s.ConnectionStore.Delete(ctx, ids...)
}

func (s *faultyStore) Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (ports.Page, error) {
	if s.onScan != nil {
		s.onScan(ctx)
	}
	if s.failScan != nil {
		if err := s.failScan(from); err != nil {
			return ports.Page{}, err
		}
	}
	return s.ConnectionStore.Scan(ctx, segment, from)
}

type faultySubscribers struct {
	ports.SubscriptionStore
	clear error
}

func (s *faultySubscribers) Clear(ctx context.Context, ids ...domain.ConnectionID) error {
	if s.clear != nil {
		return s.clear
	}
	return s.SubscriptionStore.Clear(ctx, ids...)
}

type faultyQueue struct {
	ports.Queue
	err     error
	refuses int // how many sends refuse their first message
}

func (q *faultyQueue) Send(ctx context.Context, messages ...ports.QueueMessage) error {
	if q.err != nil {
		return q.err
	}
	if q.refuses > 0 {
		q.refuses--
		if err := q.Queue.Send(ctx, messages[1:]...); err != nil {
			return err
		}
		return &ports.SendError{Failed: map[int]error{0: ports.ErrQueueFull}}
	}
	return q.Queue.Send(ctx, messages...)
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// inBubble runs the test in virtual time.
func inBubble(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}
