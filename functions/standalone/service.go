package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/adapters/memstore"
	"serverless-websocket/adapters/ulids"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/domain/broadcast"
	"serverless-websocket/ports"
)

const (
	// scanPage is how many connections one page of a scan holds.
	scanPage = 1_000
	// visibility is how long a batch may take before it is handed out again. A
	// pass posts to sockets of this process and takes milliseconds.
	visibility = time.Minute
)

// service is the gateway, the queue and what connects them.
type service struct {
	settings settings
	log      *slog.Logger

	queue       *memqueue.Queue
	deadLetters *memqueue.Queue
	gateway     *wsgateway.Gateway
	source      *memqueue.EventSource

	listeners []listener
}

// listener is an address with what is served there.
type listener struct {
	net.Listener
	server *http.Server
	label  string
	url    string
}

func newService(s settings, log *slog.Logger) (*service, error) {
	v := &service{settings: s, log: log}
	store := memstore.New(scanPage)
	v.deadLetters = memqueue.New(memqueue.Config{Log: log, MaxBytes: s.queueBytes})
	// What is left over of accepted work must always find room: were it refused,
	// whole jobs would come again. New work gets half of the queue.
	v.queue = memqueue.New(memqueue.Config{
		Log: log, MaxBytes: 2 * s.queueBytes, Visibility: visibility, DeadLetters: v.deadLetters,
	})
	var err error
	v.gateway, err = wsgateway.New(wsgateway.Config{
		Stage:          s.stage,
		Routes:         routes(store, v.queue.Below(s.queueBytes), log),
		Log:            log,
		MaxConnections: s.maxConnections,
		IdleTimeout:    s.idleTimeout,
		Lifetime:       s.lifetime,
		SendBuffer:     s.sendBuffer,
		WriteTimeout:   s.writeTimeout,
	})
	if err != nil {
		return nil, err
	}
	worker := broadcast.NewFanOut(store, v.gateway, v.queue, v.deadLetters, log, fanOutOptions(s))
	fanOut := &lambdaevent.FanOut{Worker: worker}
	v.source = &memqueue.EventSource{Queue: v.queue, Handler: fanOut.Handle, RetryAfter: time.Second, Log: log}
	return v, v.listen()
}

// fanOutOptions fit posts that never wait, to sockets that open within
// milliseconds. A client whose buffer is full is not tried again within the pass
// but by a job of its own, until it has taken what it gets or the gateway drops
// it, which the drain timeout must leave room for.
func fanOutOptions(s settings) broadcast.Options {
	return broadcast.Options{
		FreshFor:        2 * time.Second,
		Retries:         -1,
		RequeueDelay:    100 * time.Millisecond,
		MaxRequeueDelay: s.drainTimeout / 4,
		MaxAttempts:     1_000,
		Segments:        1, // there is one worker, and split messages could overtake each other
	}
}

// routes wires the handlers to the routes, as serverless.yml does on AWS.
func routes(store *memstore.Store, queue ports.Queue, log *slog.Logger) map[string]wsgateway.Route {
	connections := &lambdaevent.ConnectionManager{
		Registry: &broadcast.Registry{Store: store, Lifetime: broadcast.DefaultLifetime},
		Log:      log,
	}
	send := &lambdaevent.SendMessage{
		Sender: &broadcast.Sender{Queue: queue, NewID: ulids.NewSource().New},
		Log:    log,
	}
	unknown := &lambdaevent.DefaultMessage{Log: log}
	return map[string]wsgateway.Route{
		"$connect":    {Integration: connections.Handle},
		"$disconnect": {Integration: connections.Handle},
		"$default":    {Integration: unknown.Handle, Response: true},
		"sendMessage": {Integration: send.Handle, Response: true},
	}
}

func (v *service) listen() error {
	err := v.add("WebSocket", v.settings.wsAddr, "ws://%s", v.gateway)
	if err == nil {
		err = v.add("HTTP", v.settings.httpAddr, "http://%s", httpAPI(v.log))
	}
	if err == nil && v.settings.managementAddr != "" {
		err = v.add("@connections", v.settings.managementAddr,
			"http://%s/"+v.settings.stage+"/@connections", v.gateway.Management())
	}
	if err != nil {
		for _, l := range v.listeners {
			l.Close()
		}
	}
	return err
}

func (v *service) add(label, address, format string, handler http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	v.listeners = append(v.listeners, listener{
		Listener: l,
		label:    label,
		url:      fmt.Sprintf(format, public(address, l.Addr())),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       time.Minute,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(v.log.Handler(), slog.LevelDebug),
		},
	})
	return nil
}

// public is the address for people: the host as it was set, or localhost when
// every interface is listened on, and the port as it was given.
func public(address string, bound net.Addr) string {
	host, _, _ := net.SplitHostPort(address)
	_, port, _ := net.SplitHostPort(bound.String())
	return net.JoinHostPort(cmp.Or(host, "localhost"), port)
}

func (v *service) announce(w io.Writer) {
	for _, l := range v.listeners {
		fmt.Fprintf(w, "%-13s %s\n", l.label, l.url)
	}
	fmt.Fprintf(w, "%-13s npx wscat -c %s\n", "Try it:", v.listeners[0].url)
}

// serve works until ctx ends or a listener fails, and then stops gracefully.
func (v *service) serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range v.listeners {
		group.Go(func() error {
			if err := l.server.Serve(l.Listener); err != http.ErrServerClosed {
				return err
			}
			return nil
		})
	}
	sourceCtx, stopSource := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSource()
	group.Go(func() error { return v.source.Run(sourceCtx) })
	group.Go(func() error {
		<-ctx.Done()
		defer stopSource()
		return v.stop()
	})
	return group.Wait()
}
