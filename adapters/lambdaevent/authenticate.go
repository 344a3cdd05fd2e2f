package lambdaevent

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

// Authenticate handles the route authenticate.
type Authenticate struct {
	Registry *session.Registry
	Log      *slog.Logger
}

type authenticatedReply struct {
	Authenticated struct {
		ExpiresAt time.Time       `json:"expiresAt"`
		Ref       json.RawMessage `json:"ref,omitempty"`
	} `json:"authenticated"`
}

// Handle replaces the token of the client, and answers until when it counts. The error is
// always nil. No token is ever logged.
func (h *Authenticate) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	var reply authenticatedReply
	f, err := parseFrame(event.Body)
	if err == nil {
		reply.Authenticated.Ref = f.ref
		reply.Authenticated.ExpiresAt, err = h.renew(ctx, request, f)
	}
	if err != nil {
		return refuse(ctx, h.Log, request, f.ref, err), nil
	}
	h.Log.InfoContext(ctx, "authenticated", "connectionId", request.ConnectionID)
	return text(http.StatusOK, marshal(reply)), nil
}

func (h *Authenticate) renew(ctx context.Context, request events.APIGatewayWebsocketProxyRequestContext, f frame) (time.Time, error) {
	token, ok := f.text("token")
	if !ok || len(token) > maxToken {
		return time.Time{}, domain.NewError(domain.InvalidToken)
	}
	expires, err := h.Registry.Authenticate(ctx, domain.ConnectionID(request.ConnectionID), principal(request), token)
	return expires.UTC().Truncate(time.Second), err
}
