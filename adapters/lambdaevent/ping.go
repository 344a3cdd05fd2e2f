// Package lambdaevent is the driving adapter for AWS events: it reads an event,
// calls a use case and writes the response. The same handlers run as Lambda
// functions and, in process, behind the standalone gateway. All of them may be
// called concurrently.
package lambdaevent

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// Ping answers GET /ping of an HTTP API.
func Ping(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Content-Type": "text/plain; charset=utf-8"},
		Body:       "PONG!",
	}, nil
}
