package stacklocal

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/httpapi"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/integration/environments/lambdalocal"
)

// call invokes a function with an event and reads its response.
func call[Event, Response any](ctx context.Context, f *lambdalocal.Function, event Event) (response Response, err error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return response, err
	}
	out, err := f.Invoke(ctx, payload)
	if err != nil {
		return response, err
	}
	return response, json.Unmarshal(out, &response)
}

func webSocketIntegration(f *lambdalocal.Function) wsgateway.Integration {
	return func(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		return call[events.APIGatewayWebsocketProxyRequest, events.APIGatewayProxyResponse](ctx, f, event)
	}
}

func httpIntegration(f *lambdalocal.Function) httpapi.Integration {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return call[events.APIGatewayV2HTTPRequest, events.APIGatewayV2HTTPResponse](ctx, f, event)
	}
}

var executeAPIScope = regexp.MustCompile(
	`^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/execute-api/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$`)

// management only passes on requests with a signature for execute-api, like the IAM
// authorization of @connections; it does not check the signature itself.
func (s *Stack) management(gateway *wsgateway.Gateway) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !executeAPIScope.MatchString(r.Header.Get("Authorization")) {
			w.Header().Set("X-Amzn-ErrorType", "MissingAuthenticationTokenException")
			http.Error(w, `{"message":"Missing Authentication Token"}`, http.StatusForbidden)
			return
		}
		// The context only ends with the client once the body has been read.
		body, err := io.ReadAll(r.Body)
		if s.options.BeforePost != nil && r.Method == http.MethodPost {
			s.options.BeforePost(r)
		}
		if err != nil || r.Context().Err() != nil {
			return // the poster is gone, and the post is lost
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		gateway.Management().ServeHTTP(w, r)
	})
}
