package main

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"
)

// latency is how long the endpoint takes to answer.
const latency = 10 * time.Millisecond

// endpoint is a TLS server that stands in for API Gateway.
type endpoint struct {
	URL         string // with the stage
	Certificate []byte // in DER
	HTTP2       bool   // is offered, beside HTTP/1.1
}

// startEndpoint starts the server in its own process, so that its cost is not attributed
// to the client.
func startEndpoint(http2 bool) (endpoint, *child, error) {
	c, err := startChild("endpoint", http2)
	if err != nil {
		return endpoint{}, nil, err
	}
	var e endpoint
	if err := c.answer(&e); err != nil {
		c.stop()
		return endpoint{}, nil, err
	}
	return e, c, nil
}

// serveEndpoint answers posts until there are no more orders.
func serveEndpoint(orders *json.Decoder, answer *json.Encoder) error {
	var http2 bool
	if err := orders.Decode(&http2); err != nil {
		return err
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(take))
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that clients gave up
	server.StartTLS()
	defer server.Close()
	defer server.CloseClientConnections()
	if err := answer.Encode(endpoint{server.URL + "/dev", server.Certificate().Raw, http2}); err != nil {
		return err
	}
	if err := orders.Decode(&struct{}{}); err != io.EOF {
		return err
	}
	return nil
}

func take(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	time.Sleep(latency)
	w.Header().Set("X-Amzn-Requestid", "9ba4c0e4-0e4c-4a5a-9a1e-2f4d4c1c7a1e")
}

func (e endpoint) roots() (*x509.CertPool, error) {
	certificate, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool, nil
}

func (e endpoint) offer() string {
	if e.HTTP2 {
		return "HTTP/1.1 and HTTP/2"
	}
	return "HTTP/1.1 alone"
}
