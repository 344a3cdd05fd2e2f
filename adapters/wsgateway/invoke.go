package wsgateway

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

type result struct {
	response events.APIGatewayProxyResponse
	err      error
}

// invoke calls the integration and waits for at most IntegrationTimeout. The call
// runs on its own goroutine, so that it can be abandoned.
func (g *Gateway) invoke(call Integration, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), g.cfg.IntegrationTimeout)
	defer cancel()
	done := make(chan result, 1)
	g.running.Add(1)
	g.goroutines.run(func() {
		defer g.running.Done()
		response, err := recovered(ctx, call, event)
		done <- result{response, err}
	})
	select {
	case r := <-done:
		return r.response, r.err
	case <-ctx.Done():
		return events.APIGatewayProxyResponse{}, errors.New("integration timed out")
	}
}

func recovered(ctx context.Context, call Integration, event events.APIGatewayWebsocketProxyRequest) (response events.APIGatewayProxyResponse, err error) {
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
