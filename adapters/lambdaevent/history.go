package lambdaevent

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

// History handles the routes resume and loadMessages.
type History struct {
	Past *session.History
	Log  *slog.Logger
}

// The routes of History.
const (
	resumeRoute = "resume"
	loadRoute   = "loadMessages"
)

// withMember names the other user of a conversation.
const withMember = "with"

// Handle answers with messages that channels have kept. The error is always nil.
func (h *History) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	f, err := parseFrame(event.Body)
	var reply string
	switch {
	case err != nil:
	case request.RouteKey == resumeRoute:
		reply, err = h.resume(ctx, request, f)
	case request.RouteKey == loadRoute:
		reply, err = h.load(ctx, request, f)
	default:
		err = fmt.Errorf("route %q", request.RouteKey)
	}
	if err != nil {
		return refuse(ctx, h.Log, request, f.ref, err), nil
	}
	return text(http.StatusOK, reply), nil
}

func (h *History) resume(ctx context.Context, request events.APIGatewayWebsocketProxyRequestContext, f frame) (string, error) {
	positions, err := f.positions()
	if err != nil {
		return "", err
	}
	all, err := h.Past.Resume(ctx, domain.ConnectionID(request.ConnectionID), principal(request), positions)
	return resumed(all, f.ref), err
}

// positions returns the positions of a frame by the names of their channels, and none if
// it has none. The error is InvalidPosition.
func (f frame) positions() (map[string]domain.Position, error) {
	raw, ok := f.members["positions"]
	if !ok {
		return nil, nil
	}
	var of frame
	if json.Unmarshal(raw, &of.members) != nil || of.members == nil {
		return nil, domain.NewError(domain.InvalidPosition)
	}
	positions := make(map[string]domain.Position, len(of.members))
	for channel := range of.members {
		position, err := of.position(channel)
		if err != nil {
			return nil, err
		}
		positions[channel] = position
	}
	return positions, nil
}

// position returns a member that is a position. The error is InvalidPosition.
func (f frame) position(name string) (domain.Position, error) {
	text, _ := f.text(name) // no position is empty
	return domain.ParsePosition(text)
}

func (h *History) load(ctx context.Context, request events.APIGatewayWebsocketProxyRequestContext, f frame) (string, error) {
	limit, err := f.limit()
	if err != nil {
		return "", err
	}
	if _, has := f.members[withMember]; has {
		return h.loadConversation(ctx, request, f, limit)
	}
	var before domain.Position
	if _, has := f.members["before"]; has {
		if before, err = f.position("before"); err != nil {
			return "", err
		}
	}
	to := domain.ToEveryone()
	if _, has := f.members[roomMember]; has {
		room, _ := f.text(roomMember) // no room's name is empty
		to = domain.ToRoom(room)
	}
	page, err := h.Past.Load(ctx, domain.ConnectionID(request.ConnectionID), principal(request), to, before, limit)
	return loaded(page, f.ref), err
}

func (h *History) loadConversation(ctx context.Context, request events.APIGatewayWebsocketProxyRequestContext, f frame, limit int) (string, error) {
	if _, has := f.members[roomMember]; has {
		return "", domain.NewError(domain.InvalidRecipient)
	}
	var before domain.MessageID
	if _, has := f.members["before"]; has {
		text, _ := f.text("before")
		if before = domain.MessageID(text); !before.Valid() { // empty is not the newest
			return "", domain.NewError(domain.InvalidPosition)
		}
	}
	with, _ := f.text(withMember) // no user's name is empty
	page, err := h.Past.LoadConversation(ctx, domain.ConnectionID(request.ConnectionID), principal(request), with, before, limit)
	return loadedConversation(page, f.ref), err
}
