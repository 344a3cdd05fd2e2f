package wsgateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"serverless-websocket/domain"
)

// apiError is an error of the @connections API: a status, the name by which SDKs
// identify it, and a text.
type apiError struct {
	status  int
	name    string
	message string
}

// The errors of each operation are documented at
// https://docs.aws.amazon.com/apigatewaymanagementapi/latest/api/, except those with
// 400 and 405.
var (
	errForbidden = apiError{http.StatusForbidden, "ForbiddenException", "Forbidden"}
	errMethod    = apiError{http.StatusMethodNotAllowed, "MethodNotAllowedException", "Method Not Allowed"}
	errMalformed = apiError{http.StatusBadRequest, "BadRequestException", "Invalid connectionId"}
	errBody      = apiError{http.StatusBadRequest, "BadRequestException", "The payload is not readable as UTF-8"}
	errGone      = apiError{http.StatusGone, "GoneException", "Gone"}
	errTooLarge  = apiError{http.StatusRequestEntityTooLarge, "PayloadTooLargeException", "Payload Too Large"}
	errLimit     = apiError{http.StatusTooManyRequests, "LimitExceededException", "Limit Exceeded"}
	noError      = apiError{}
)

// connectionInfo is the answer to GET.
type connectionInfo struct {
	ConnectedAt  time.Time    `json:"connectedAt"`
	LastActiveAt time.Time    `json:"lastActiveAt"`
	Identity     identityInfo `json:"identity"`
}

type identityInfo struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// Management returns the @connections API: POST, GET and DELETE on
// /{stage}/@connections/{id}. It does not check signatures, so serve it on a separate
// listener that only the functions can reach.
func (g *Gateway) Management() http.Handler {
	return http.HandlerFunc(g.serveConnections)
}

func (g *Gateway) serveConnections(w http.ResponseWriter, r *http.Request) {
	requestID := uuid.NewString()
	w.Header().Set("x-amzn-RequestId", requestID)
	id, failure := "", errForbidden
	if rest, ok := strings.CutPrefix(r.URL.Path, "/"+g.cfg.Stage+"/@connections/"); ok && !fromPage(r) {
		id, failure = rest, g.serveConnection(w, r, domain.ConnectionID(rest))
	}
	if failure == noError {
		return
	}
	w.Header().Set("X-Amzn-ErrorType", failure.name)
	writeMessage(w, failure.status, gatewayMessage{failure.message, id, requestID})
}

// fromPage reports whether a web page made the request: with a script, or on a
// loopback address through a name that an attacker made resolve to it.
func fromPage(r *http.Request) bool {
	address, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return r.Header.Get("Origin") != "" || isLoopback(address) && !isLocal(r.Host)
}

// serveConnection answers the request, or returns the error for the answer.
func (g *Gateway) serveConnection(w http.ResponseWriter, r *http.Request, id domain.ConnectionID) apiError {
	if !wellFormed(id) {
		return errMalformed
	}
	switch r.Method {
	case http.MethodPost:
		return g.servePost(w, r, id)
	case http.MethodGet:
		return g.serveGet(w, id)
	case http.MethodDelete:
		return g.serveDelete(w, id)
	}
	w.Header().Set("Allow", "POST, GET, DELETE")
	return errMethod
}

func wellFormed(id domain.ConnectionID) bool {
	raw, err := base64.URLEncoding.Strict().DecodeString(string(id))
	return err == nil && len(raw) == 11 && !strings.ContainsAny(string(id), "\r\n") // the decoder skips these
}

func (g *Gateway) servePost(w http.ResponseWriter, r *http.Request, id domain.ConnectionID) apiError {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(g.cfg.MessageLimit)))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return errTooLarge
	}
	if err != nil {
		return errBody
	}
	frames, err := g.encode(payload)
	if err != nil {
		return errBody
	}
	c := g.find(id)
	switch {
	case c == nil:
		return errGone
	case !c.hasRoom(frames):
		return errLimit
	case c.post(frames) != nil:
		return errGone
	}
	w.WriteHeader(http.StatusOK)
	return noError
}

func (g *Gateway) serveGet(w http.ResponseWriter, id domain.ConnectionID) apiError {
	c := g.find(id)
	if c == nil || !c.open() {
		return errGone
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(connectionInfo{ // fails only if the caller has gone
		ConnectedAt:  c.connectedAt.UTC().Truncate(time.Millisecond),
		LastActiveAt: c.lastActiveAt().UTC().Truncate(time.Millisecond),
		Identity:     identityInfo{c.sourceIP, c.userAgent},
	})
	return noError
}

func (g *Gateway) serveDelete(w http.ResponseWriter, id domain.ConnectionID) apiError {
	if !g.disconnect(id) {
		return errGone
	}
	w.WriteHeader(http.StatusNoContent)
	return noError
}

func writeMessage(w http.ResponseWriter, status int, message gatewayMessage) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(message) // fails only if the client has gone
}
