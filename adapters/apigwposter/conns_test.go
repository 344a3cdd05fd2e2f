package apigwposter_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/domain"
)

// TestConnectionsAreKept counts the TCP connections of 4,000 posts, 256 of them in
// flight. The server answers a post when 128 more have arrived, so that posts end while
// connections are still being opened. They use HTTP/1.1 even if the server offers HTTP/2.
func TestConnectionsAreKept(t *testing.T) {
	const posts, inFlight = 4000, 256
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2 as well": true} {
		t.Run(name, func(t *testing.T) {
			var arrivals atomic.Int64
			arrived := make([]chan struct{}, posts)
			for i := range arrived {
				arrived[i] = make(chan struct{})
			}
			s := newServer(t, http2, func(_ http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 1 {
					t.Errorf("a post came over %s", r.Proto)
				}
				_, _ = io.Copy(io.Discard, r.Body)
				n := int(arrivals.Add(1)) - 1
				close(arrived[n])
				<-arrived[min(n+inFlight/2, posts-1)]
			})
			send, err := s.poster(apigwposter.Options{Timeout: 3 * time.Minute, InFlight: inFlight}).Prepare(make([]byte, 200))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			var group errgroup.Group
			group.SetLimit(inFlight)
			for i := range posts {
				group.Go(func() error { return send(t.Context(), domain.ConnectionID(fmt.Sprint(i))) })
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d TCP connections, %v", s.accepted.Load(), time.Since(start))
			if n := int(s.accepted.Load()); n > inFlight {
				t.Errorf("%d posts made %d TCP connections, want at most %d", posts, n, inFlight)
			}
		})
	}
}

// TestTLSSessionIsResumed has the server close each connection, so that the next post
// opens another.
func TestTLSSessionIsResumed(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2 as well": true} {
		t.Run(name, func(t *testing.T) {
			var resumed []bool
			s := newServer(t, http2, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				resumed = append(resumed, r.TLS.DidResume)
			})
			poster := s.poster(apigwposter.Options{InFlight: 1})
			for range 3 {
				if err := post(t.Context(), t, poster); err != nil {
					t.Fatal(err)
				}
			}
			if want := []bool{false, true, true}; !slices.Equal(resumed, want) {
				t.Errorf("resumed: %v, want %v", resumed, want)
			}
		})
	}
}
