package wsgateway

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

type result[R any] struct {
	response R
	err      error
}

// invoke calls the integration and waits for at most IntegrationTimeout. The call
// runs on its own goroutine, so that it can be abandoned.
func invoke[E, R any](g *Gateway, call func(context.Context, E) (R, error), event E) (response R, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), g.cfg.IntegrationTimeout)
	defer cancel()
	done := make(chan result[R], 1)
	g.running.Add(1)
	g.goroutines.run(func() {
		defer g.running.Done()
		response, err := recovered(ctx, call, event)
		done <- result[R]{response, err}
	})
	select {
	case r := <-done:
		return r.response, r.err
	case <-ctx.Done():
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
	ctx, cancel := context.WithTimeout(context.Background(), g.cfg.IntegrationTimeout)
	var none R
	abandon := time.AfterFunc(g.cfg.IntegrationTimeout, func() { finish(none, errTimedOut) })
	response, err := recovered(ctx, call, event)
	abandoned, late := !abandon.Stop(), ctx.Err() != nil
	cancel()
	switch {
	case abandoned:
	case late:
		finish(none, errTimedOut)
	default:
		finish(response, err)
	}
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
