package lambdaevent

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain/publish"
	"serverless-websocket/domain/session"
)

// Handler answers an event of the WebSocket API, as a Lambda function does.
type Handler func(context.Context, events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error)

// UseCases are what the handlers of the WebSocket API call.
type UseCases struct {
	Registry  *session.Registry
	Publisher *publish.Publisher
	Log       *slog.Logger
}

// Route is one route of the WebSocket API.
type Route struct {
	Function string // that handles it, as serverless.yml names it
	Handler  Handler
	// Replies says that the body of the handler's response goes to the client.
	Replies bool
}

// Routes returns every route of the WebSocket API by its key: an action, or one of the
// three that API Gateway predefines. Standalone serves these, and a test keeps
// serverless.yml in step.
func (u UseCases) Routes() map[string]Route {
	connections := &ConnectionManager{Registry: u.Registry, Log: u.Log}
	send := &SendMessage{Publisher: u.Publisher, Log: u.Log}
	unknown := &DefaultMessage{Log: u.Log}
	return map[string]Route{
		"$connect":    {Function: "connectionManager", Handler: connections.Handle},
		"$disconnect": {Function: "connectionManager", Handler: connections.Handle},
		"$default":    {Function: "defaultMessage", Handler: unknown.Handle, Replies: true},
		"sendMessage": {Function: "sendMessage", Handler: send.Handle, Replies: true},
	}
}
