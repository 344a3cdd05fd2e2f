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
	// handshakes is how many can be in progress at once, whatever the rate.
	handshakes = 256
	// settledFor is how long the drain waits after everything has arrived, so that late
	// duplicates are seen.
	settledFor = 200 * time.Millisecond
	// pollEvery is how often to check whether something is missing.
	pollEvery = 50 * time.Millisecond
)

// loadRun is one run of the load generator.
type loadRun struct {
	settings settings
	clock    wire.Clock
	tally    *tally.Tally
	dial     func(context.Context) (*wire.Conn, error)
	pace     *rate.Limiter // of connecting
	poller   wire.Poller   // reads for clients that only listen
	events   events
	resumes  resumes

	server  server
	clients []*client
	senders []*sender
	living  sync.WaitGroup  // the goroutines of connected clients
	slowly  context.Context // ends when slow readers no longer need to be slow
	hurry   context.CancelFunc

	started     time.Time
	activity    atomic.Value // string: what is being done, for the progress
	connecting  interval
	connected   int      // after it
	sending     interval // with the drain
	cpu         cpuTime  // while sending
	interrupted bool     // before all was sent
	behind      int      // clients that have not resumed once more at the end
	verdicts    []verdict
}

// interval is when something was done, by the clock.
type interval struct{ from, to int64 }

func (i interval) length() time.Duration { return time.Duration(i.to-i.from) * time.Microsecond }

func newRun(s settings) *loadRun {
	r := &loadRun{
		settings: s,
		server:   server{pid: s.pid},
		clock:    wire.NewClock(),
		tally:    tally.New(s.senders, runtime.GOMAXPROCS(0)*2, s.grace),
		pace:     newPace(s.connectRate),
		started:  time.Now(),
	}
	r.slowly, r.hurry = context.WithCancel(context.Background())
	codec := wire.NewCodec(rand.Text()[:wire.RunIDLength], s.size, wire.Protocol(s.protocol))
	r.dial = wire.NewDialer(s.target, s.header.Header, s.connectTimeout, codec, r.clock).Dial
	for i := range s.clients {
		r.addClient(i)
	}
	return r
}

// newPace allows a burst of a hundredth of a second, to make up for late timers.
func newPace(perSecond float64) *rate.Limiter {
	if perSecond == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/100)))
}

// addClient adds client i. The first ones send.
func (r *loadRun) addClient(i int) {
	c := &client{run: r}
	if i < r.settings.senders {
		c.sender = newSender(r, i)
		r.senders = append(r.senders, c.sender)
	} else {
		c.behavior = r.settings.chosen.behaviorOf(r.settings, i-r.settings.senders)
	}
	c.account = r.tally.NewClient(c.behavior.speed > 0)
	if r.settings.chosen.follow {
		c.follower = newFollower(r, c.account)
	}
	r.clients = append(r.clients, c)
}

// do connects the clients, sends, waits for outstanding deliveries, and disconnects. The
// error says why that was incomplete. ctx ends the sending early.
func (r *loadRun) do(ctx context.Context) error {
	lives, end := context.WithCancel(context.WithoutCancel(ctx))
	defer r.living.Wait()
	defer end()
	defer r.hurry()
	if err := r.server.connecting(func() error { return r.connect(ctx, lives) }); err != nil {
		r.interrupted = ctx.Err() != nil
		return err
	}
	r.server.sending(func() { r.measure(func() { r.sendUnderFlood(ctx) }) })
	r.tally.Close()
	r.activity.Store("disconnecting")
	return r.shortfall()
}

// measure records the time and CPU of the sending, and what happens in each interval of
// it.
func (r *loadRun) measure(work func()) {
	before := usedCPU()
	r.sending.from = r.clock.Now()
	stop := r.tick()
	work()
	stop()
	r.sending.to = r.clock.Now()
	r.cpu = usedCPU().minus(before)
}

// tick divides the counts into bins, until the function that it returns is called.
func (r *loadRun) tick() (stop func()) {
	first, others := r.settings.bins()
	done, ticker := make(chan struct{}), time.NewTicker(first)
	r.tally.Tick(r.clock.Now())
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for {
			select {
			case <-ticker.C:
				r.tally.Tick(r.clock.Now())
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
		r.tally.Tick(r.clock.Now())
	}
}
