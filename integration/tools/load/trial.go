package main

import (
	"context"
	"crypto/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"serverless-websocket/integration/tools/load/tally"
	"serverless-websocket/integration/tools/load/wire"
)

const (
	// handshakes is how many may be under way at once, whatever the pace.
	handshakes = 256
	// settledFor is how long everything has to be there before the drain ends, so
	// that duplicates right behind it are seen.
	settledFor = 200 * time.Millisecond
	// pollEvery is how often it is looked at whether something is missing.
	pollEvery = 50 * time.Millisecond
)

// trial is one run of the load generator.
type trial struct {
	settings settings
	clock    wire.Clock
	tally    *tally.Tally
	dial     func(context.Context) (*wire.Conn, error)
	pace     *rate.Limiter // of connecting
	poller   wire.Poller   // reads for those that only listen
	events   events

	server  server
	clients []*client
	senders []*sender
	living  sync.WaitGroup  // the goroutines of connected clients
	slowly  context.Context // ends when slow readers need not be slow any more
	hurry   context.CancelFunc

	started     time.Time
	phase       atomic.Value // string: what is being done, for the progress
	connecting  interval
	connected   int      // after it
	sending     interval // with the drain
	cpu         cpuTime  // while sending
	interrupted bool     // before all was sent
	verdicts    []verdict
}

// interval is when something was done, by the clock.
type interval struct{ from, to int64 }

func (i interval) length() time.Duration { return time.Duration(i.to-i.from) * time.Microsecond }

func newTrial(s settings) *trial {
	t := &trial{
		settings: s,
		server:   server{pid: s.pid},
		clock:    wire.NewClock(),
		tally:    tally.New(s.senders, runtime.GOMAXPROCS(0)*2, s.grace),
		pace:     newPace(s.connectRate),
		started:  time.Now(),
	}
	t.slowly, t.hurry = context.WithCancel(context.Background())
	codec := wire.NewCodec(rand.Text()[:wire.RunIDLength], s.size, wire.Protocol(s.protocol))
	t.dial = wire.NewDialer(s.target, s.header.Header, s.connectTimeout, codec, t.clock).Dial
	for i := range s.clients {
		t.addClient(i)
	}
	return t
}

// newPace allows for what a timer is late by, a hundredth of a second at once.
func newPace(perSecond float64) *rate.Limiter {
	if perSecond == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/100)))
}

// addClient adds client i. The first ones send.
func (t *trial) addClient(i int) {
	c := &client{trial: t}
	if i < t.settings.senders {
		c.sender = newSender(t, i)
		t.senders = append(t.senders, c.sender)
	} else {
		c.habit = t.settings.chosen.habitOf(t.settings, i-t.settings.senders)
	}
	c.account = t.tally.NewClient(c.habit.speed > 0)
	t.clients = append(t.clients, c)
}

// do connects the clients, sends, waits for what is under way, and disconnects.
// The error says why that was not done as asked. ctx ends the sending early.
func (t *trial) do(ctx context.Context) error {
	lives, end := context.WithCancel(context.WithoutCancel(ctx))
	defer t.living.Wait()
	defer end()
	defer t.hurry()
	if err := t.server.connecting(func() error { return t.connect(ctx, lives) }); err != nil {
		t.interrupted = ctx.Err() != nil
		return err
	}
	t.server.sending(func() { t.measure(func() { t.sendUnderFlood(ctx) }) })
	t.tally.Close()
	t.phase.Store("disconnecting")
	return t.shortfall()
}

// measure notes the time and the CPU that sending takes, and what happens in
// each interval of it.
func (t *trial) measure(work func()) {
	before := usedCPU()
	t.sending.from = t.clock.Now()
	stop := t.tick()
	work()
	stop()
	t.sending.to = t.clock.Now()
	t.cpu = usedCPU().minus(before)
}

// tick divides what is counted into bins, until the function that it returns
// is called.
func (t *trial) tick() (stop func()) {
	first, others := t.settings.bins()
	done, ticker := make(chan struct{}), time.NewTicker(first)
	t.tally.Tick(t.clock.Now())
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for {
			select {
			case <-ticker.C:
				t.tally.Tick(t.clock.Now())
				ticker.Reset(others)
			case <-done:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		ticking.Wait()
		t.tally.Tick(t.clock.Now())
	}
}
