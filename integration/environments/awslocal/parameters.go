package awslocal

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Parameters starts a Parameter Store with SecureStrings by name, and returns its URL. It
// knows only GetParameter, and ends with the test.
func Parameters(t testing.TB, secrets map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Name           string
			WithDecryption bool
		}
		secret, ok := "", false
		if operation(r) == "GetParameter" && json.NewDecoder(r.Body).Decode(&request) == nil {
			secret, ok = secrets[request.Name]
		}
		if !ok {
			WriteError(w, http.StatusBadRequest, "ParameterNotFound")
			return
		}
		if !request.WithDecryption {
			secret = "encrypted"
		}
		WriteParameter(w, "SecureString", secret)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// WriteParameter answers a GetParameter.
func WriteParameter(w http.ResponseWriter, kind, value string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	parameter := map[string]any{"Parameter": map[string]any{"Type": kind, "Value": value, "Version": 1}}
	_ = json.NewEncoder(w).Encode(parameter) // the client may be gone; no one is left to tell
}

// SSMAt returns a client of the Parameter Store at an endpoint.
func SSMAt(endpoint string) *ssm.Client {
	return ssm.NewFromConfig(Config(), func(o *ssm.Options) { o.BaseEndpoint = &endpoint })
}
