package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/functions/app"
	"serverless-websocket/ports"
)

// engineResults are those of one pass over a large table with a poster that costs
// nothing.
type engineResults struct {
	rows      int
	perSecond float64
	allocs    float64 // per post, without the store's
	inUse     uint64  // peak bytes of the heap, less those before the pass
	hardInUse uint64  // the same when some posts fail
	sys       uint64  // bytes that both passes got from the system
}

// measureEngine makes two passes over the table: in the first all posts succeed, in the
// second every 20th connection is gone and every 20th is throttled.
func measureEngine(progress io.Writer, size sizes) (engineResults, error) {
	r := engineResults{rows: size.rows}
	storeAlone := scanAlone(generated{rows: size.rows})
	calm, err := pass(size, func(int64) error { return nil })
	if err != nil {
		return r, err
	}
	hard, err := pass(size, someFail)
	if err != nil {
		return r, err
	}
	r.perSecond = float64(size.rows) / calm.took.Seconds()
	r.allocs = (float64(calm.allocs) - float64(storeAlone)) / float64(size.rows)
	r.inUse, r.hardInUse, r.sys = calm.inUse, hard.inUse, calm.sys+hard.sys
	fmt.Fprintf(progress, "engine: a pass over %d rows in %v, %v with failures\n", size.rows, calm.took, hard.took)
	return r, nil
}

func someFail(n int64) error {
	switch n % 20 {
	case 0:
		return ports.ErrGone
	case 10:
		return ports.ErrThrottled
	}
	return nil
}

// cost is the cost of a pass.
type cost struct {
	took       time.Duration
	allocs     uint64
	inUse, sys uint64
}

func pass(size sizes, answer func(int64) error) (cost, error) {
	jobs, err := newJobs(1)
	if err != nil {
		return cost{}, err
	}
	poster := &instant{answer: answer}
	worker := service(generated{rows: size.rows}, poster, discard{},
		fanout.Options{InFlight: size.inFlight, Backoff: 10 * time.Millisecond}).Worker()
	watch := startWatch()
	err = handle(worker, jobs)
	c := watch.stop()
	if n := poster.posts.Load(); err == nil && n < int64(size.rows) {
		err = fmt.Errorf("%d posts for %d rows", n, size.rows)
	}
	return c, err
}

// watch samples the heap.
type watch struct {
	begun      time.Time
	before     runtime.MemStats
	inUse, sys uint64
	end, ended chan struct{}
}

func startWatch() *watch {
	w := &watch{end: make(chan struct{}), ended: make(chan struct{})}
	runtime.GC()
	runtime.ReadMemStats(&w.before)
	w.begun = time.Now()
	go w.look()
	return w
}

func (w *watch) look() {
	defer close(w.ended)
	ticks := time.NewTicker(2 * time.Millisecond)
	defer ticks.Stop()
	for {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		w.inUse, w.sys = max(w.inUse, now.HeapInuse), max(w.sys, now.Sys)
		select {
		case <-ticks.C:
		case <-w.end:
			return
		}
	}
}

func (w *watch) stop() cost {
	took := time.Since(w.begun)
	close(w.end)
	<-w.ended
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	return cost{
		took:   took,
		allocs: after.Mallocs - w.before.Mallocs,
		inUse:  w.inUse - min(w.inUse, w.before.HeapInuse),
		sys:    w.sys - min(w.sys, w.before.Sys),
	}
}

// generated is a table with that many rows, generated as they are read, in pages like
// those of DynamoDB. Nothing but a worker's methods is called.
type generated struct {
	ports.ConnectionStore
	rows int
}

const pageRows = 10_000

func (g generated) Scan(_ context.Context, _ domain.Segment, from domain.Cursor) (ports.Page, error) {
	first := 0
	if from != "" {
		var err error
		if first, err = strconv.Atoi(string(from)); err != nil {
			return ports.Page{}, ports.ErrBadCursor
		}
	}
	last := min(first+pageRows, g.rows)
	page := ports.Page{Connections: make([]domain.Connection, 0, last-first)}
	for i := first; i < last; i++ {
		page.Connections = append(page.Connections, row(i))
	}
	if last < g.rows {
		page.Next = domain.Cursor(strconv.Itoa(last))
	}
	return page, nil
}

func (generated) Delete(context.Context, ...domain.ConnectionID) error { return nil }

// scanAlone returns the number of allocations that the store makes.
func scanAlone(store generated) uint64 {
	watch := startWatch()
	for next, first := domain.Cursor(""), true; next != "" || first; first = false {
		page, err := store.Scan(context.Background(), domain.Segment{}, next)
		if err != nil {
			panic(err) // the cursor is its own
		}
		next = page.Next
	}
	return watch.stop().allocs
}

// instant is a poster that only answers.
type instant struct {
	posts  atomic.Int64
	answer func(int64) error
}

func (p *instant) Prepare([]byte) (ports.Post, error) {
	return func(context.Context, domain.ConnectionID) error { return p.answer(p.posts.Add(1)) }, nil
}

func (p *instant) Closing() ports.Post { return nil } // no row expires

// discard is a queue that drops everything.
type discard struct{}

func (discard) Send(context.Context, ...ports.QueueMessage) error { return nil }

// service has one queue for everything.
func service(connections ports.ConnectionStore, poster ports.Poster, queue ports.Queue, options fanout.Options) app.Service {
	return app.Service{
		Log: slog.New(slog.DiscardHandler), Poster: poster,
		Connections: connections, Subscriptions: memstore.NewSubscriptions(0, memstore.New(0)),
		Jobs: queue, Channels: queue, Parts: queue, Retries: queue, DeadLetters: queue, Options: options,
	}
}
