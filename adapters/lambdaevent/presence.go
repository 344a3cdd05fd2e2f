package lambdaevent

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

// defaultLimit is how many users or messages an answer has unless the frame has a limit.
const defaultLimit = 50

// maxUsers is how many bytes of JSON the users of one answer can have, so that it fits a
// frame.
const maxUsers = 24 << 10

// Presence handles the route presence.
type Presence struct {
	Registry *session.Registry
	Log      *slog.Logger
}

type presenceReply struct {
	Room  string          `json:"room"`
	Users []presentUser   `json:"users"`
	After string          `json:"after,omitempty"` // for the next page; empty on the last
	Total presenceTotal   `json:"total"`
	Ref   json.RawMessage `json:"ref,omitempty"`
}

type presentUser struct {
	User        string `json:"user"`
	Connections int    `json:"connections"`
}

type presenceTotal struct {
	Users       int `json:"users"`
	Connections int `json:"connections"`
}

// Handle answers who is in the frame's room. The error is always nil.
func (h *Presence) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	f, room, err := parseRoom(event.Body)
	var present session.Presence
	if err == nil {
		present, err = h.present(ctx, request, f, room)
	}
	if err != nil {
		return refuse(ctx, h.Log, request, f.ref, err), nil
	}
	return text(http.StatusOK, marshal(map[string]presenceReply{"presence": newPresence(room, f.ref, present)})), nil
}

func (h *Presence) present(ctx context.Context, request events.APIGatewayWebsocketProxyRequestContext, f frame, room string) (
	session.Presence, error) {
	limit, after, err := f.page()
	if err != nil {
		return session.Presence{}, err
	}
	return h.Registry.Presence(ctx, domain.ConnectionID(request.ConnectionID), principal(request), room, limit, after)
}

// page returns the limit of an answer, and after which user it begins. The error is
// InvalidPage.
func (f frame) page() (limit int, after string, err error) {
	limit, err = f.limit()
	if err != nil {
		return 0, "", err
	}
	after, ok := f.text("after")
	if _, has := f.members["after"]; has && (!ok || after == "") {
		return 0, "", domain.NewError(domain.InvalidPage)
	}
	return limit, after, nil
}

// limit returns how much an answer may have. The error is InvalidPage.
func (f frame) limit() (int, error) {
	raw, ok := f.members["limit"]
	if !ok {
		return defaultLimit, nil
	}
	var n *int
	if json.Unmarshal(raw, &n) != nil || n == nil {
		return 0, domain.NewError(domain.InvalidPage)
	}
	return *n, nil
}

// newPresence names the users who fit, at least one.
func newPresence(room string, ref json.RawMessage, p session.Presence) presenceReply {
	reply := presenceReply{Room: room, Ref: ref, Total: presenceTotal{p.TotalUsers, p.TotalConnections}, Users: []presentUser{}}
	size := 0
	for _, one := range p.Users {
		user := presentUser{one.User, one.Connections}
		if size += len(marshal(user)) + len(","); size > maxUsers && len(reply.Users) > 0 {
			p.More = true
			break
		}
		reply.Users = append(reply.Users, user)
	}
	if p.More {
		reply.After = reply.Users[len(reply.Users)-1].User
	}
	return reply
}
