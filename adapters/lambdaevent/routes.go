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
	Past      *session.History
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
// serverless.yml in step. A function takes its own handler alone, so that its program has
// no more than that, and its role needs to permit no more.
func (u UseCases) Routes() map[string]Route {
	return map[string]Route{
		"$connect":     {Function: "connectionManager", Handler: u.ConnectionManager().Handle},
		"$disconnect":  {Function: "connectionManager", Handler: u.ConnectionManager().Handle},
		"$default":     {Function: "defaultMessage", Handler: u.DefaultMessage().Handle, Replies: true},
		"sendMessage":  {Function: "sendMessage", Handler: u.SendMessage().Handle, Replies: true},
		joinRoute:      {Function: "rooms", Handler: u.Rooms().Handle, Replies: true},
		leaveRoute:     {Function: "rooms", Handler: u.Rooms().Handle, Replies: true},
		"presence":     {Function: "presence", Handler: u.Presence().Handle, Replies: true},
		resumeRoute:    {Function: "history", Handler: u.History().Handle, Replies: true},
		loadRoute:      {Function: "history", Handler: u.History().Handle, Replies: true},
		"authenticate": {Function: "authenticate", Handler: u.Authenticate().Handle, Replies: true},
	}
}

// ConnectionManager returns the handler of $connect and $disconnect.
func (u UseCases) ConnectionManager() *ConnectionManager {
	return &ConnectionManager{Registry: u.Registry, Log: u.Log}
}

// DefaultMessage returns the handler of $default.
func (u UseCases) DefaultMessage() *DefaultMessage { return &DefaultMessage{Log: u.Log} }

// SendMessage returns the handler of sendMessage.
func (u UseCases) SendMessage() *SendMessage {
	return &SendMessage{Registry: u.Registry, Publisher: u.Publisher, Log: u.Log}
}

// Rooms returns the handler of joinRoom and leaveRoom.
func (u UseCases) Rooms() *Rooms { return &Rooms{Registry: u.Registry, Past: u.Past, Log: u.Log} }

// Presence returns the handler of presence.
func (u UseCases) Presence() *Presence { return &Presence{Registry: u.Registry, Log: u.Log} }

// History returns the handler of resume and loadMessages.
func (u UseCases) History() *History { return &History{Past: u.Past, Log: u.Log} }

// Authenticate returns the handler of authenticate.
func (u UseCases) Authenticate() *Authenticate {
	return &Authenticate{Registry: u.Registry, Log: u.Log}
}
