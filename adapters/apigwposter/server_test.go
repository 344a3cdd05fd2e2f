package apigwposter_test

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"serverless-websocket/adapters/apigwposter"
)

// server is a TLS server that stands in for API Gateway.
type server struct {
	endpoint string
	client   aws.HTTPClient
	accepted atomic.Int64 // TCP connections
}

func newServer(t *testing.T, http2 bool, handler http.HandlerFunc) *server {
	s := &server{}
	ts := httptest.NewUnstartedServer(handler)
	ts.EnableHTTP2 = http2
	ts.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.accepted.Add(1)
		}
	}
	ts.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that the client gave up
	// The default, a hybrid with ML-KEM, takes long under the race detector.
	ts.TLS = &tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP256}}
	ts.StartTLS()
	t.Cleanup(ts.Close)
	roots := x509.NewCertPool()
	roots.AddCert(ts.Certificate())
	s.endpoint = ts.URL + "/dev"
	s.client = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig = &tls.Config{RootCAs: roots}
	})
	return s
}

// poster returns a patient poster, unless the options say otherwise.
func (s *server) poster(opts apigwposter.Options) *apigwposter.Poster {
	opts.Timeout = cmp.Or(opts.Timeout, time.Minute)
	return apigwposter.New(aws.Config{
		Region:      "ap-northeast-2",
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", "SESSION"),
		HTTPClient:  s.client,
	}, s.endpoint, opts)
}

// refuse answers like API Gateway, and omits the error type if it is empty.
func refuse(w http.ResponseWriter, status int, errorType string) {
	if errorType != "" {
		w.Header().Set("X-Amzn-ErrorType", errorType)
	}
	w.Header().Set("X-Amzn-RequestId", "request-7")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"message":"refused"}`))
}
