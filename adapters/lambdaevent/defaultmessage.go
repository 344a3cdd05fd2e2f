package lambdaevent

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

// DefaultMessage handles the route $default: frames that no other route takes.
type DefaultMessage struct {
	Log *slog.Logger
}

// Handle tells the client what is wrong with its frame: TooDeep, InvalidJSON,
// NotAnObject, InvalidRef or else UnknownAction. The error is always nil.
func (h *DefaultMessage) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	f, err := parseFrame(event.Body)
	if err == nil {
		err = domain.NewError(domain.UnknownAction)
	}
	return refuse(ctx, h.Log, event.RequestContext, f.ref, err), nil
}
