package awslocal

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// Fault decides the fate of a request for an operation, such as "Scan": it answers, or
// passes the request on to next, either possibly changed. It may be called concurrently.
type Fault func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler)

// Proxy starts a server in front of the one at target, in which the fault sees every
// request, and returns its URL. It ends with the test.
func Proxy(t testing.TB, target string, fault Fault) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	next := httputil.NewSingleHostReverseProxy(to)
	next.Transport = transport
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault(w, r, operation(r), next)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// operation returns the operation of a request, such as "Scan".
func operation(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}

// WriteError answers like the AWS JSON protocols, with an error type such as
// "ProvisionedThroughputExceededException" and the checksum that clients of DynamoDB
// check.
func WriteError(w http.ResponseWriter, status int, errorType string) {
	body := fmt.Appendf(nil, `{"__type":"com.amazonaws#%s","message":"injected"}`, errorType)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; no one is left to tell
}
