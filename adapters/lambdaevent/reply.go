package lambdaevent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

// statuses maps error codes to statuses of the integration response.
var statuses = map[domain.Code]int{
	domain.InvalidJSON:      http.StatusBadRequest,
	domain.NotAnObject:      http.StatusBadRequest,
	domain.TooDeep:          http.StatusBadRequest,
	domain.UnknownAction:    http.StatusBadRequest,
	domain.InvalidRef:       http.StatusBadRequest,
	domain.InvalidAgain:     http.StatusBadRequest,
	domain.MissingContent:   http.StatusBadRequest,
	domain.BlankContent:     http.StatusBadRequest,
	domain.ContentTooLarge:  http.StatusRequestEntityTooLarge,
	domain.InvalidRecipient: http.StatusBadRequest,
	domain.InvalidRoom:      http.StatusBadRequest,
	domain.InvalidPage:      http.StatusBadRequest,
	domain.InvalidPosition:  http.StatusBadRequest,
	domain.InvalidToken:     http.StatusUnauthorized,
	domain.NotAMember:       http.StatusForbidden,
	domain.TooManyRooms:     http.StatusConflict,
	domain.NoHistory:        http.StatusNotFound,
	domain.Unauthenticated:  http.StatusUnauthorized,
	domain.Forbidden:        http.StatusForbidden,
	domain.Unavailable:      http.StatusServiceUnavailable,
	domain.Internal:         http.StatusInternalServerError,
}

type acceptedReply struct {
	Accepted struct {
		ID  domain.MessageID `json:"id"`
		Ref json.RawMessage  `json:"ref,omitempty"`
	} `json:"accepted"`
}

type errorReply struct {
	Error struct {
		Code      domain.Code `json:"code"`
		Message   string      `json:"message"`
		RequestID string      `json:"requestId"`
		// RetryAfter is in seconds.
		RetryAfter int             `json:"retryAfter,omitempty"`
		Ref        json.RawMessage `json:"ref,omitempty"`
	} `json:"error"`
}

func accepted(id domain.MessageID, ref json.RawMessage) events.APIGatewayProxyResponse {
	var reply acceptedReply
	reply.Accepted.ID = id
	reply.Accepted.Ref = ref
	return text(http.StatusOK, marshal(reply))
}

// refuse logs the error and answers with its code. Anything but a *domain.Error is
// Internal to the client; only the log has the details. An error of the service's own is
// logged at ERROR: a limit that did its work is none, and has no cause.
func refuse(ctx context.Context, log *slog.Logger, request events.APIGatewayWebsocketProxyRequestContext,
	ref json.RawMessage, err error) events.APIGatewayProxyResponse {
	var known *domain.Error
	if !errors.As(err, &known) {
		known = &domain.Error{Code: domain.Internal, Cause: err}
	}
	level := slog.LevelInfo
	switch {
	case known.Cause == nil && known.RetryAfter > 0:
		level = slog.LevelWarn
	case statuses[known.Code] >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	log.Log(ctx, level, "refused", "code", known.Code, "error", err,
		"connectionId", request.ConnectionID, "gatewayRequestId", request.RequestID)

	var reply errorReply
	reply.Error.Code = known.Code
	reply.Error.Message = known.Message()
	reply.Error.RequestID = request.RequestID
	reply.Error.RetryAfter = int(math.Ceil(known.RetryAfter.Seconds()))
	reply.Error.Ref = ref
	return text(statuses[known.Code], marshal(reply))
}

// marshal keeps a client's ref unchanged: without HTML escaping, the encoder does not
// alter a string that is already JSON.
func marshal(reply any) string {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(reply); err != nil {
		panic(err) // strings, and a ref that parseFrame has checked: nothing can fail
	}
	return string(bytes.TrimRight(body.Bytes(), "\n"))
}

func text(status int, body string) events.APIGatewayProxyResponse {
	return events.APIGatewayProxyResponse{StatusCode: status, Body: body}
}
