package lambdaevent

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
	"serverless-websocket/domain/publish"
	"serverless-websocket/domain/session"
)

// SendMessage handles the route sendMessage.
type SendMessage struct {
	Registry  *session.Registry
	Publisher *publish.Publisher
	Log       *slog.Logger
}

// Handle accepts the frame's content for its recipients and answers with the id of the
// message, or with the reason why it is refused. The error is always nil.
func (h *SendMessage) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	f, message, err := h.accept(ctx, event)
	if err != nil {
		return refuse(ctx, h.Log, event.RequestContext, f.ref, err), nil
	}
	h.Log.InfoContext(ctx, "accepted", "messageId", message.ID, "bytes", len(message.Content),
		"connectionId", event.RequestContext.ConnectionID)
	return accepted(message.ID, f.ref), nil
}

func (h *SendMessage) accept(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (frame, domain.Message, error) {
	f, err := parseFrame(event.Body)
	if err != nil {
		return f, domain.Message{}, err
	}
	request := event.RequestContext
	who := principal(request)
	to, err := f.recipients(who)
	if err != nil {
		return f, domain.Message{}, err
	}
	content, err := domain.ParseContent(f.members["content"])
	if err != nil {
		return f, domain.Message{}, err
	}
	again, err := f.again()
	if err != nil {
		return f, domain.Message{}, err
	}
	from, err := h.Registry.Caller(ctx, domain.ConnectionID(request.ConnectionID), who)
	if err != nil {
		return f, domain.Message{}, err
	}
	ref, _ := f.text("ref")
	message, err := h.Publisher.Publish(ctx, publish.Command{From: from, To: to, Content: content, Ref: ref, Again: again})
	return f, message, err
}
