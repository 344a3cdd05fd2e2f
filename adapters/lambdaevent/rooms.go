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

// Rooms handles the routes joinRoom and leaveRoom.
type Rooms struct {
	Registry *session.Registry
	Past     *session.History
	Log      *slog.Logger
}

// The routes of Rooms.
const (
	joinRoute  = "joinRoom"
	leaveRoute = "leaveRoom"
)

// roomReply confirms what was done with a room.
type roomReply struct {
	Room     string          `json:"room"`
	Position string          `json:"position,omitempty"` // in the room's log, when joined
	Ref      json.RawMessage `json:"ref,omitempty"`
}

// Handle adds the client to the frame's room, or removes it. The error is always nil.
func (h *Rooms) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	f, room, err := parseRoom(event.Body)
	verb, position := "joined", ""
	switch {
	case err != nil:
	case request.RouteKey == joinRoute:
		position, err = h.join(ctx, request, room)
	case request.RouteKey == leaveRoute:
		verb = "left"
		err = h.Registry.Leave(ctx, domain.ConnectionID(request.ConnectionID), principal(request), room)
	default:
		err = fmt.Errorf("route %q", request.RouteKey)
	}
	if err != nil {
		return refuse(ctx, h.Log, request, f.ref, err), nil
	}
	h.Log.DebugContext(ctx, verb, "room", room, "connectionId", request.ConnectionID)
	return text(http.StatusOK, marshal(map[string]roomReply{verb: {room, position, f.ref}})), nil
}

// join returns the position in the room's log after the client has joined. Without one,
// the client can still resume.
func (h *Rooms) join(ctx context.Context, request events.APIGatewayWebsocketProxyRequestContext, room string) (string, error) {
	if err := h.Registry.Join(ctx, domain.ConnectionID(request.ConnectionID), principal(request), room); err != nil {
		return "", err
	}
	end, err := h.Past.End(ctx, domain.ToRoom(room))
	if err != nil {
		h.Log.WarnContext(ctx, "joined without a position", "error", err, "connectionId", request.ConnectionID)
		return "", nil
	}
	return end.String(), nil
}

// parseRoom reads a frame that names a room. Without one the room is empty, which no use
// case takes. The errors are those of parseFrame.
func parseRoom(body string) (f frame, room string, err error) {
	f, err = parseFrame(body)
	if err == nil {
		room, _ = f.text(roomMember)
	}
	return f, room, err
}
