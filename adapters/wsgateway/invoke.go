package wsgateway

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

type result[R any] struct {
	response R
	err      error
}

// invocation is a call of an integration that is under way.
type invocation[R any] struct {
	done chan result[R]
	// placed holds a token once the call only waits, see ports.WithPlaced.
	placed chan struct{}
	ctx    context.Context // ends with the call, and after IntegrationTimeout
}

// begin calls the integration, on a goroutine of its own, so that the call can be
// abandoned: what comes of it after IntegrationTimeout is dropped.
func begin[E, R any](g *Gateway, call func(context.Context, E) (R, error), event E) *invocation[R] {
	i := &invocation[R]{done: make(chan result[R], 1), placed: make(chan struct{}, 1)}
	var cancel context.CancelFunc
	i.ctx, cancel = context.WithTimeout(ports.WithPlaced(context.Background(), i.setPlaced), g.cfg.IntegrationTimeout)
	g.running.Add(1)
	g.goroutines.run(func() {
		defer g.running.Done()
		defer cancel()
		response, err := recovered(i.ctx, call, event)
		if i.ctx.Err() == nil {
			i.done <- result[R]{response, err}
		}
	})
	return i
}

func (i *invocation[R]) setPlaced() {
	select {
	case i.placed <- struct{}{}:
	default:
	}
}

// onlyWaits waits until the call only waits, or has ended, and reports whether it only waits.
func (i *invocation[R]) onlyWaits() bool {
	select {
	case <-i.placed:
		return i.ctx.Err() == nil
	case <-i.ctx.Done():
		return false
	}
}

// result waits for the end of the call, and for at most IntegrationTimeout. Whoever asks
// later gets what came in time.
func (i *invocation[R]) result() (response R, err error) {
	<-i.ctx.Done()
	select {
	case r := <-i.done:
		return r.response, r.err
	default:
		return response, errTimedOut
	}
}

var errTimedOut = errors.New("integration timed out")

// attempt calls the integration, and then finish with the outcome. If the integration takes
// longer than IntegrationTimeout, another goroutine calls finish meanwhile. So a quick one
// needs no goroutine of its own.
func attempt[E, R any](g *Gateway, call func(context.Context, E) (R, error), event E, finish func(R, error)) {
	g.running.Add(1)
	defer g.running.Done()
	ctx := new(attemptContext)
	g.attempts.set(&ctx.abandon, func() {
		ctx.end(context.DeadlineExceeded)
		var none R
		finish(none, errTimedOut)
	})
	response, err := recovered(ctx, call, event)
	abandoned := !g.attempts.stop(&ctx.abandon)
	ctx.end(context.Canceled)
	if !abandoned {
		finish(response, err)
	}
}

// invoke calls the integration and waits for its end, and for at most IntegrationTimeout.
func invoke[E, R any](g *Gateway, call func(context.Context, E) (R, error), event E) (R, error) {
	return begin(g, call, event).result()
}

func recovered[E, R any](ctx context.Context, call func(context.Context, E) (R, error), event E) (response R, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("integration panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return call(ctx, event)
}

func (g *Gateway) integrationFailed(event events.APIGatewayWebsocketProxyRequest, err error) {
	request := &event.RequestContext
	g.observe(func(o Observer) {
		o.IntegrationFailed(request.RouteKey, domain.ConnectionID(request.ConnectionID), request.RequestID, err)
	})
}
