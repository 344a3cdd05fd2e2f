package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	client "serverless-websocket/clients/go"
)

var (
	hours = flag.Int("hours", 3, "how many hours of faults to run, each with another seed")
	seed  = flag.Uint64("seed", 0, "run only the hour of this seed, above 0")
)

const hourSecret = "a secret of the hour, long enough for HS256"

// hour is an hour of the whole service and its clients, in virtual time.
type hour struct {
	t         *testing.T
	dir       string     // where the service keeps its data
	random    *rand.Rand // of the faults
	network   *network
	followers []*follower

	service *service
	stop    func()        // begins its graceful stop
	stopped chan struct{} // closed when that is over

	faulty atomic.Bool  // whether providers of tokens fail too
	over   atomic.Bool  // whether users do nothing new
	quiet  atomic.Int64 // until when senders rest, in nanoseconds
	began  time.Time

	faults map[string]int
	jobs   int // that starts of the service found on disk
}

// The whole service, as this program composes it, keeps its data on disk, crashes, stops and
// starts again. The reference clients are whole too; their connections stall and are cut,
// and their tokens expire. Each client gets every message of each of its channels, once and
// in order.
func TestAnHourOfFaults(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { newHour(t, dir, seed).run() })
			if t.Failed() {
				t.Logf("the same faults again, though not to the nanosecond: make hours SEED=%d", seed)
			}
		})
	}
}

func seeds() (all []uint64) {
	if *seed > 0 {
		return []uint64{*seed}
	}
	for range *hours {
		all = append(all, 1+rand.Uint64N(1<<32))
	}
	return all
}

func newHour(t *testing.T, dir string, seed uint64) *hour {
	time.Sleep(23*time.Hour + 30*time.Minute) // a new day comes meanwhile: the disk gets another file
	h := &hour{t: t, dir: dir, random: rand.New(rand.NewPCG(seed, 0)), faults: map[string]int{}, began: time.Now()}
	h.network = &network{random: rand.New(rand.NewPCG(seed, 1))}
	return h
}

func (h *hour) run() {
	h.start()
	alice, dave := h.follow("alice", "alice", "goals", "lobby"), h.follow("dave", "dave", "goals")
	h.followers = []*follower{alice, dave, h.follow("bob", "bob", "goals"), h.follow("bob's phone", "bob", "goals")}
	senders := h.followers
	h.followers = append(h.followers, h.follow(erin, erin, "goals"))
	time.Sleep(time.Minute) // by then all are connected
	var users sync.WaitGroup
	for _, f := range senders {
		users.Go(func() { f.send("everyone", client.Outgoing{}) })
		users.Go(func() { f.send("room:goals", client.Outgoing{Room: "goals"}) })
		users.Go(func() { f.send("user", client.Outgoing{To: "bob"}) })
	}
	users.Go(func() { alice.send("room:lobby", client.Outgoing{Room: "lobby"}) })
	users.Go(dave.visit)
	h.faulty.Store(true)
	for time.Since(h.began) < time.Hour {
		h.wait(time.Second, 40*time.Second)
		h.fault()
	}
	h.faulty.Store(false)
	h.abandonErin()
	h.over.Store(true)
	users.Wait()
	time.Sleep(settles)
	for _, f := range h.followers {
		f.stop()
	}
	h.check()
	h.t.Log(h.summary())
	h.stopGracefully()
}

const (
	// settles is how long after the last fault and message all clients have all: a resume
	// is due nine minutes after the last, and can find the connection dead.
	settles = 11 * time.Minute
	// patience is how long after the beginning a sender tries to have a message accepted.
	patience = 2 * time.Hour
)

// start starts the service on its data.
func (h *hour) start() {
	v, err := onDisk(h.t, quiet, "-data", h.dir, "-history-days=1", "-auth=jwt", "-jwt-secret="+hourSecret, "-lifetime=20m")
	if err != nil {
		panic(err) // after a Fatal, the clients would go on for ever
	}
	h.jobs += v.disk.Found().Jobs
	d := newDoor()
	for _, l := range v.listeners {
		l.Close() // to wait for sockets would keep time from passing
	}
	v.listeners = []listener{{Listener: d, endpoint: v.sockets()}}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = v.serve(ctx) // it fails when clients stall
	}()
	h.service, h.stop, h.stopped = v, stop, stopped
	h.network.leadTo(d)
}

// stopGracefully stops the service as a signal does.
func (h *hour) stopGracefully() {
	h.network.leadTo(nil)
	h.stop()
	<-h.stopped
}

// crash ends the service as kill -9 does: whatever it still does, nobody sees it, and
// nothing of it is on disk.
func (h *hour) crash() {
	h.network.leadTo(nil)
	for _, l := range h.network.open() {
		l.cutBoth()
	}
	if err := h.service.disk.Close(); err != nil {
		h.t.Error(err)
	}
	h.stop()
}
