package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/coder/websocket"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

// patience is how long a test waits for an immediate event: long enough that even on a
// busy machine only a hang exceeds it.
const patience = time.Minute

var keys = aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET", SessionToken: "SESSION/+="}

var protocols = map[string]bool{"HTTP/1.1": false, "HTTP/2": true}

func TestPoster(t *testing.T) {
	for name, http2 := range protocols {
		t.Run(name, func(t *testing.T) {
			porttest.TestPoster(t, func(t *testing.T) porttest.PosterHarness {
				s := serve(t, http2)
				closed, client := s.dial(t, 0)
				client.CloseNow()
				s.await(t, s.gone)
				return porttest.PosterHarness{
					Poster:    s.poster(keys),
					Open:      s.open,
					Closed:    closed,
					Unknown:   unknown,
					Malformed: "odd/id",
					Denied:    s.poster(aws.Credentials{AccessKeyID: "OTHER", SecretAccessKey: "OTHER"}),
					OpenDeaf:  func(t *testing.T) domain.ConnectionID { id, _ := s.dial(t, 4<<10); return id },
				}
			})
		})
	}
}

// unknown is well formed, but no connection has it.
const unknown = "Zm9vYmFyYmF6cXU="

// TestSignatureIsChecked shows that the suite above would fail with unsigned or wrongly
// signed posts.
func TestSignatureIsChecked(t *testing.T) {
	s := serve(t, false)
	for name, change := range map[string]func(*aws.Credentials){
		"other access key": func(c *aws.Credentials) { c.AccessKeyID = "OTHER" },
		"other secret":     func(c *aws.Credentials) { c.SecretAccessKey = "OTHER" },
		"other session":    func(c *aws.Credentials) { c.SessionToken = "OTHER" },
		"no session":       func(c *aws.Credentials) { c.SessionToken = "" },
	} {
		wrong := keys
		change(&wrong)
		post, err := s.poster(wrong).Prepare([]byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if err := post(t.Context(), unknown); err == nil || errors.Is(err, ports.ErrGone) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

// server is the gateway: WebSocket clients on one socket, the @connections API
// with TLS and IAM authorization on another.
type server struct {
	webSocketURL, endpoint string
	client                 aws.HTTPClient
	connected, gone        chan domain.ConnectionID
}

func serve(t *testing.T, http2 bool) *server {
	t.Helper()
	s := &server{connected: make(chan domain.ConnectionID, 100), gone: make(chan domain.ConnectionID, 100)}
	g, err := wsgateway.New(wsgateway.Config{Routes: map[string]wsgateway.Route{
		"$connect":    {Integration: report(s.connected)},
		"$disconnect": {Integration: report(s.gone)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := g.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go g.Serve(sockets)
	t.Cleanup(func() {
		sockets.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	s.webSocketURL = "ws://" + sockets.Addr().String()
	s.serveTLS(t, http2, authorized(keys, g.Management()))
	return s
}

func report(to chan<- domain.ConnectionID) wsgateway.Integration {
	return func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		to <- domain.ConnectionID(e.RequestContext.ConnectionID)
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
	}
}

func (s *server) serveTLS(t *testing.T, http2 bool, handler http.Handler) {
	ts := httptest.NewUnstartedServer(handler)
	ts.EnableHTTP2 = http2
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
}

func (s *server) poster(c aws.Credentials) *apigwposter.Poster {
	return apigwposter.New(aws.Config{
		Region:      region,
		Credentials: credentials.StaticCredentialsProvider{Value: c},
		HTTPClient:  s.client,
	}, s.endpoint, apigwposter.Options{Timeout: patience})
}

func (s *server) open(t *testing.T) (domain.ConnectionID, func() []byte) {
	id, client := s.dial(t, 0)
	return id, func() []byte {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, message, err := client.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return message
	}
}

// dial opens a connection until the case is over. If room is given, the client's
// operating system buffers about that many bytes.
func (s *server) dial(t *testing.T, room int) (domain.ConnectionID, *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil && room > 0 {
			err = conn.(*net.TCPConn).SetReadBuffer(room)
		}
		return conn, err
	}}
	client, _, err := websocket.Dial(ctx, s.webSocketURL, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.CloseNow() })
	client.SetReadLimit(domain.MaxPayload)
	return s.await(t, s.connected), client
}

func (s *server) await(t *testing.T, from <-chan domain.ConnectionID) domain.ConnectionID {
	t.Helper()
	select {
	case id := <-from:
		return id
	case <-time.After(patience):
		t.Fatal("no event arrived")
		return ""
	}
}
