package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// sample is one measurement.
type sample struct {
	CPU  float64 // µs for each post, user and system
	Rate float64 // posts a second
}

func (s sample) String() string { return fmt.Sprintf("%7.1f µs %8.0f/s", s.CPU, s.Rate) }

// orders are for one measurement.
type orders struct {
	Endpoint  endpoint
	Contender int // of those for the endpoint
	InFlight  int
	WarmUp    warmUp
	Long      time.Duration
}

// warmUp opens the connections. It lasts for at least this many posts and this long,
// within a maximum.
type warmUp struct {
	Posts         int64
	Least, AtMost time.Duration
}

// measureInChild measures a contender in its own process, with its own heap and
// connections.
func measureInChild(o orders) (s sample, err error) {
	c, err := startChild("client", o)
	if err != nil {
		return s, err
	}
	defer c.stop()
	return s, c.answer(&s)
}

func measureAlone(in *json.Decoder, out *json.Encoder) error {
	var o orders
	if err := in.Decode(&o); err != nil {
		return err
	}
	roots, err := o.Endpoint.roots()
	if err != nil {
		return err
	}
	payload := []byte(strings.Repeat("x", payloadSize))
	post, err := contenders(o.Endpoint.HTTP2)[o.Contender].make(target{o.Endpoint, roots, o.InFlight, payload})
	if err != nil {
		return err
	}
	if _, err := load(post, o.InFlight, o.WarmUp.over); err != nil {
		return err
	}
	s, err := load(post, o.InFlight, func(_ int64, elapsed time.Duration) bool { return elapsed >= o.Long })
	if err != nil {
		return err
	}
	return out.Encode(s)
}

func (w warmUp) over(posts int64, elapsed time.Duration) bool {
	return elapsed >= w.AtMost || elapsed >= w.Least && posts >= w.Posts
}

// load keeps a number of posts in flight until it is over.
func load(post ports.Post, inFlight int, over func(posts int64, elapsed time.Duration) bool) (sample, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var posts atomic.Int64
	var workers sync.WaitGroup
	start, before := time.Now(), cpuTime()
	for range inFlight {
		workers.Go(func() {
			for ctx.Err() == nil && !over(posts.Load(), time.Since(start)) {
				if err := post(ctx, connectionID(posts.Add(1))); err != nil {
					cancel(err) // the first is kept
				}
			}
		})
	}
	workers.Wait()
	elapsed, used := time.Since(start), cpuTime()-before
	n := float64(max(1, posts.Load()))
	return sample{CPU: float64(used.Microseconds()) / n, Rate: n / elapsed.Seconds()}, context.Cause(ctx)
}

// connectionID is an id like API Gateway's: 11 bytes in base64.
func connectionID(n int64) domain.ConnectionID {
	const scatter = 0x9e3779b97f4a7c15
	var raw [11]byte
	binary.BigEndian.PutUint64(raw[:], uint64(n)*scatter)
	return domain.ConnectionID(base64.URLEncoding.EncodeToString(raw[:]))
}

// cpuTime is the CPU time of this process, without its children.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only for a wrong argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
