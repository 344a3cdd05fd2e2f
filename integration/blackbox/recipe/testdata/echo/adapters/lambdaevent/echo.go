package lambdaevent

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain/echo"
)

// Echo handles the route echo.
type Echo struct {
	Log *slog.Logger
}

type echoReply struct {
	Echo struct {
		Content json.RawMessage `json:"content"`
		Ref     json.RawMessage `json:"ref,omitempty"`
	} `json:"echo"`
}

// Handle answers with the frame's content, or with the reason why it is refused. The
// error is always nil.
func (h *Echo) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	f, err := parseFrame(event.Body)
	var reply echoReply
	if err == nil {
		var content []byte
		content, err = echo.Echo(f.members["content"])
		reply.Echo.Content, reply.Echo.Ref = content, f.ref
	}
	if err != nil {
		return refuse(ctx, h.Log, event.RequestContext, f.ref, err), nil
	}
	return text(http.StatusOK, marshal(reply)), nil
}
