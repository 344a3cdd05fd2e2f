// Package httpapi is the driving adapter that serves functions over HTTP like an HTTP API
// of API Gateway: it turns a request into an event of payload format 2.0, hands it to the
// function behind the route, and writes the response.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"
)

// MaxBody is the maximum length of a request body, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const MaxBody = 10 << 20

// Integration is the function behind a route. It is called concurrently; its context ends
// when the client disconnects.
type Integration func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// API is an http.Handler. Its routes match the whole path; they have no path
// parameters.
type API struct {
	routes map[string]Integration
	log    *slog.Logger
}

// New returns an API with an integration for each route key, such as "GET /ping". The log
// receives integration failures; nil means slog.Default().
func New(routes map[string]Integration, log *slog.Logger) *API {
	return &API{routes: routes, log: cmp.Or(log, slog.Default())}
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	routeKey := r.Method + " " + r.URL.Path
	integration, ok := a.routes[routeKey]
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	event, err := newEvent(w, r, routeKey)
	if err != nil {
		refuse(w, statusOf(err))
		return
	}
	response, body, err := invoke(r.Context(), integration, event)
	if err != nil {
		a.log.Error("function failed", "route", routeKey, "error", err)
		refuse(w, http.StatusInternalServerError)
		return
	}
	if err := write(w, response, body); err != nil {
		a.log.Debug("response not written", "route", routeKey, "error", err)
	}
}

// statusOf returns the status for a request that could not be read.
func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// invoke calls the integration and turns a panic, or a response that cannot be written,
// into an error.
func invoke(ctx context.Context, integration Integration, event events.APIGatewayV2HTTPRequest) (
	response events.APIGatewayV2HTTPResponse, body []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	if response, err = integration(ctx, event); err != nil {
		return response, nil, err
	}
	body, err = bodyOf(response)
	return response, body, err
}
