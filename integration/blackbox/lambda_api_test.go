package blackbox

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/integration/lambdalocal"
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

// integration has a route invoke the function.
func integration(f *lambdalocal.Function) wsgateway.Integration {
	return func(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		return call[events.APIGatewayWebsocketProxyRequest, events.APIGatewayProxyResponse](ctx, f, event)
	}
}

// httpIntegration has a route of the HTTP API invoke the function, as far as the
// one that there is needs it.
func httpIntegration(f *lambdalocal.Function) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		response, err := call[events.APIGatewayV2HTTPRequest, events.APIGatewayV2HTTPResponse](r.Context(), f,
			events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: r.Pattern, RawPath: r.URL.Path})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write([]byte(response.Body))
	}
}

var executeAPIScope = regexp.MustCompile(
	`^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/execute-api/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$`)

// signed passes on only requests with a signature for execute-api, as the IAM
// authorization of @connections would; it does not check the signature itself.
func signed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !executeAPIScope.MatchString(r.Header.Get("Authorization")) {
			w.Header().Set("X-Amzn-ErrorType", "MissingAuthenticationTokenException")
			http.Error(w, `{"message":"Missing Authentication Token"}`, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// lambdaLogs takes the functions' log lines. What slog calls msg is called
// message on Lambda; it comes before all attributes.
type lambdaLogs struct{ *logs }

func (l lambdaLogs) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		_, _ = l.logs.Write(bytes.Replace(line, []byte(`"message":`), []byte(`"`+slog.MessageKey+`":`), 1))
	}
	return len(text), nil
}
