package awslocal

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// Fault decides what becomes of a request for an operation, such as "Scan": it
// answers, or passes the request on to next, both perhaps changed. It may be
// called concurrently.
type Fault func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler)

// Proxy starts a server before the one at target through which the fault sees
// every request, and returns its URL. It ends with the test.
func Proxy(t testing.TB, target string, fault Fault) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	next := httputil.NewSingleHostReverseProxy(to)
	next.Transport = transport
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		fault(w, r, operation, next)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// WriteError answers as the AWS JSON protocols do, with an error type such as
// "ProvisionedThroughputExceededException".
func WriteError(w http.ResponseWriter, status int, errorType string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":"com.amazonaws#%s","message":"injected"}`, errorType)
}
