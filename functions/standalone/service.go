package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/adapters/diskstore"
	"serverless-websocket/adapters/eventsource"
	"serverless-websocket/adapters/httpapi"
	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/adapters/memstore"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/functions/app"
)

const (
	// scanPage is how many connections one page of a scan holds.
	scanPage = 1_000
	// visibility is how long a batch may take before it is handed out again; it is cut short
	// after half of that, and what is left goes behind newer messages. A pass posts to
	// sockets of this process and takes milliseconds, but the process, or its machine, can
	// stand still meanwhile, and messages must keep their order.
	visibility = 24 * time.Hour
	// retriesRoom is how much larger than the queue of new jobs that of retries is:
	// were one refused there, the job that it comes from would come again, for
	// everyone.
	retriesRoom = 4
)

// fanOutOptions fit posts that never wait, to sockets that open within
// milliseconds: only to one that is not open yet is a post tried again. That a
// connection is gone needs no second post: the gateway of this process knows. No job
// is split: there is one worker for all parts, and messages in parts could overtake
// each other. One processor is left to those who connect and send, as posts never
// let go of theirs.
var fanOutOptions = fanout.Options{
	InFlight:         max(1, runtime.GOMAXPROCS(0)-1),
	OpenGrace:        2 * time.Second,
	ConfirmGoneAfter: fanout.PruneAtOnce,
	Repeats:          -1,
	TargetTime:       visibility,
	RequeueDelay:     100 * time.Millisecond,
	MaxRequeueDelay:  2 * time.Second,
	MaxAttempts:      1 << 30,
}

// service is the gateway, the queue and what connects them.
type service struct {
	settings settings
	log      *slog.Logger

	gateway *wsgateway.Gateway
	// jobs has what was accepted for everyone, channels what was for users and rooms, and
	// retries what passes left over. They are apart so that no message to a user waits
	// for broadcasts, and what waits for a socket to open keeps no new message waiting.
	jobs, channels, retries *memqueue.Queue
	deadLetters             *memqueue.Queue
	disk                    *diskstore.Store // nil without -data
	sources                 []*eventsource.Source
	listeners               []listener
}

// newService returns a service that listens. If it cannot, nothing is left open.
func newService(s settings, log *slog.Logger) (*service, error) {
	v := &service{settings: s, log: log}
	if err := v.openDisk(); err != nil {
		return nil, err
	}
	if err := v.compose(); err != nil {
		return nil, errors.Join(err, v.closeDisk())
	}
	return v, nil
}

// compose makes the parts of the service.
func (v *service) compose() error {
	s, log := v.settings, v.log
	v.deadLetters = memqueue.New(memqueue.Config{Log: log, MaxBytes: s.queueBytes})
	v.jobs, v.channels = v.newJobs("jobs"), v.newJobs("channels")
	v.retries = memqueue.New(v.queueConfig(retriesRoom * s.queueBytes))
	connections := memstore.New(scanPage)
	service := app.Service{
		Log: log, Connections: connections, Subscriptions: memstore.NewSubscriptions(scanPage, connections),
		Lifetime: s.lifetime, MaxRooms: s.maxRooms, Policy: s.policy(),
		Renewed: func(id domain.ConnectionID, end time.Time) { v.gateway.Renew(id, end) },
		Jobs:    v.jobs, Channels: v.channels, Parts: v.retries, Retries: v.retries, DeadLetters: v.deadLetters, Options: fanOutOptions,
		ReadLimits: readLimits(),
	}
	v.keepHistory(&service)
	var err error
	service.Verify, err = s.verifier(log)
	if err != nil {
		return err
	}
	v.gateway, err = wsgateway.New(wsgateway.Config{
		AuthorizedUntil: lambdaevent.AuthorizedUntil,
		Stage:           s.stage,
		Routes:          served(service.Handlers().Routes()),
		Authorizer:      authorizer(service),
		Log:             log,
		Origins:         app.Origins(s.origins),
		MaxConnections:  s.connectionLimit(),
		IdleTimeout:     s.idleTimeout,
		Lifetime:        s.lifetime,
		MessageTimeout:  s.messageTimeout,
		PeerTimeout:     s.peerTimeout,
		SendBuffer:      s.sendBuffer,
		Backlog:         s.backlog,
		WriteTimeout:    s.writeTimeout,
		NextWindow:      func() <-chan struct{} { return both(v.jobs.NextReceive(), v.channels.NextReceive()) },
		Concurrency:     concurrency(),
	})
	if err != nil {
		return err
	}
	service.Poster = v.gateway
	fanOut := service.FanOut()
	for _, queue := range v.queues() {
		v.sources = append(v.sources,
			&eventsource.Source{Queue: queue, Handler: fanOut.Handle, RetryAfter: time.Second, Log: log})
	}
	return v.listen()
}

// queues are those that workers read.
func (v *service) queues() []*memqueue.Queue {
	return []*memqueue.Queue{v.jobs, v.channels, v.retries}
}

// both returns a channel that is closed when both are.
func both(a, b <-chan struct{}) <-chan struct{} {
	select {
	case <-a:
		return b
	case <-b:
		return a
	default:
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		<-a
		<-b
	}()
	return closed
}

func (v *service) queueConfig(maxBytes int) memqueue.Config {
	return memqueue.Config{Log: v.log, MaxBytes: maxBytes, Visibility: visibility, DeadLetters: v.deadLetters}
}

// served returns the routes as the gateway takes them.
func served(routes map[string]lambdaevent.Route) map[string]wsgateway.Route {
	served := map[string]wsgateway.Route{}
	for key, route := range routes {
		served[key] = wsgateway.Route{Integration: wsgateway.Integration(route.Handler), Response: route.Replies}
	}
	return served
}

// httpAPI wires the handlers to the routes of the HTTP API.
func httpAPI(log *slog.Logger) *httpapi.API {
	return httpapi.New(map[string]httpapi.Integration{"GET /ping": lambdaevent.Ping}, log)
}

// announce tells the addresses, where data is, and how to connect.
func (v *service) announce(w io.Writer, s settings) {
	for _, l := range v.listeners {
		if l.label != "" {
			fmt.Fprintf(w, "%-13s %s\n", l.label, l.url)
		}
	}
	where := "in memory"
	if v.disk != nil {
		where = s.directory()
	}
	fmt.Fprintf(w, "%-13s %s\n", "Data", where)
	token := ""
	if s.auth == authJWT {
		token = ` -H "Authorization: Bearer <token>"`
	}
	fmt.Fprintf(w, "%-13s npx wscat -c %s%s\n", "Try it:", v.listeners[0].url, token)
}

// serve works until ctx ends or a listener fails, and then stops gracefully.
func (v *service) serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range v.listeners {
		group.Go(func() error { return l.serve(l.Listener) })
	}
	sourceCtx, stopSources := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSources()
	for _, source := range v.sources {
		group.Go(func() error { return source.Run(sourceCtx) })
	}
	group.Go(func() error {
		<-ctx.Done()
		defer stopSources()
		return v.stop()
	})
	return errors.Join(group.Wait(), v.closeDisk())
}
