package apigwposter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/ports"
)

// TestMain ignores the goroutine that closes idle connections of posters.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}

// post sends one payload to one connection.
func post(ctx context.Context, t *testing.T, p *apigwposter.Poster) error {
	t.Helper()
	send, err := p.Prepare([]byte(`{"messages":[{"content":"안녕"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return send(ctx, "L0SM9cOF/HcCIhw=")
}

func TestRequest(t *testing.T) {
	requests := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	s := newServer(t, false, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- r
		bodies <- string(body)
	})
	if err := post(t.Context(), t, s.poster(apigwposter.Options{})); err != nil {
		t.Fatal(err)
	}
	r := <-requests
	if want := "/dev/@connections/L0SM9cOF%2FHcCIhw%3D"; r.Method != "POST" || r.RequestURI != want {
		t.Errorf("got %s %s, want POST %s", r.Method, r.RequestURI, want)
	}
	if got, want := <-bodies, `{"messages":[{"content":"안녕"}]}`; got != want {
		t.Errorf("the body is %s, want %s", got, want)
	}
	scope := regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=AKID/\d{8}/ap-northeast-2/execute-api/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$`)
	if got := r.Header.Get("Authorization"); !scope.MatchString(got) {
		t.Errorf("Authorization: %s", got)
	}
	if got := r.Header.Get("X-Amz-Security-Token"); got != "SESSION" {
		t.Errorf("X-Amz-Security-Token: %s", got)
	}
}

// silent returns a poster to a server that never answers, and a channel that is closed
// when the first post has arrived.
func silent(t *testing.T, opts apigwposter.Options) (*apigwposter.Poster, <-chan struct{}) {
	arrived := make(chan struct{})
	s := newServer(t, false, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // lets the server notice that the client has left
		close(arrived)
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // an answer could still overtake the end of the TLS connection
	})
	return s.poster(opts), arrived
}

func TestTimeLimit(t *testing.T) {
	poster, _ := silent(t, apigwposter.Options{Timeout: 50 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(time.Minute, cancel).Stop()
	if err := post(ctx, t, poster); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
}

func TestCancelledWhileWaiting(t *testing.T) {
	poster, arrived := silent(t, apigwposter.Options{Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := post(ctx, t, poster); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestConnectionBrokenOff(t *testing.T) {
	s := newServer(t, false, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	err := post(t.Context(), t, s.poster(apigwposter.Options{}))
	if err == nil || errors.Is(err, ports.ErrGone) || errors.Is(err, ports.ErrThrottled) {
		t.Errorf("got %v, want an error without a sentinel", err)
	}
}
