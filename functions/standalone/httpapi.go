package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/lambdaevent"
)

type httpFunction func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// httpAPI serves the routes of the HTTP API with the functions behind them.
func httpAPI(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /ping", invoke(lambdaevent.Ping, log))
	return mux
}

// invoke turns a request into the event of an HTTP API, as far as the functions
// read it, and writes their response.
func invoke(function httpFunction, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, err := function(r.Context(), events.APIGatewayV2HTTPRequest{
			Version:        "2.0",
			RouteKey:       r.Pattern,
			RawPath:        r.URL.Path,
			RawQueryString: r.URL.RawQuery,
		})
		if err != nil {
			log.Error("function failed", "route", r.Pattern, "error", err)
			http.Error(w, `{"message":"Internal Server Error"}`, http.StatusInternalServerError)
			return
		}
		for name, value := range response.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(response.StatusCode)
		if _, err := w.Write([]byte(response.Body)); err != nil {
			log.Debug("response not written", "route", r.Pattern, "error", err)
		}
	})
}
