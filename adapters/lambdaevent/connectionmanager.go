package lambdaevent

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

// ConnectionManager handles the routes $connect and $disconnect.
type ConnectionManager struct {
	Registry *session.Registry
	Log      *slog.Logger
}

// Handle answers 200 once the tables have been changed. A status other
// than 2xx on $connect keeps the socket from opening. The error is always nil.
func (h *ConnectionManager) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	id := domain.ConnectionID(request.ConnectionID)
	switch request.EventType {
	case "CONNECT":
		if err := h.Registry.Connect(ctx, id, principal(request)); err != nil {
			return refuse(ctx, h.Log, request, nil, err), nil
		}
		h.Log.LogAttrs(ctx, slog.LevelInfo, "connected",
			slog.String("connectionId", request.ConnectionID), slog.String("sourceIp", request.Identity.SourceIP))
		return connected(event), nil
	case "DISCONNECT":
		if err := h.Registry.Disconnect(ctx, id, principal(request)); err != nil {
			return refuse(ctx, h.Log, request, nil, err), nil
		}
		h.Log.InfoContext(ctx, "disconnected", "connectionId", id,
			"code", request.DisconnectStatusCode, "reason", reason(request))
		return text(http.StatusOK, "Disconnect successful."), nil
	}
	h.Log.ErrorContext(ctx, "unrecognized event type", "eventType", request.EventType, "connectionId", id)
	return text(http.StatusInternalServerError, "Unrecognized eventType."), nil
}

// connected accepts the connection. A browser that offered the subprotocol for tokens
// fails the connection unless the answer names it.
func connected(event events.APIGatewayWebsocketProxyRequest) events.APIGatewayProxyResponse {
	response := text(http.StatusOK, "Connect successful.")
	if offersBearer(subprotocols(event.MultiValueHeaders)) {
		response.Headers = map[string]string{subprotocolHeader: bearer}
	}
	return response
}

// reason is why the connection ended, if the gateway gave a reason.
func reason(request events.APIGatewayWebsocketProxyRequestContext) string {
	if request.DisconnectReason == nil {
		return ""
	}
	return *request.DisconnectReason
}
