package apigwposter_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/domain"
)

// TestConnectionsAreKept counts the TCP connections that 4,000 posts make with
// 256 of them in flight at once. The server answers a post when 128 more have
// arrived, so that posts end while connections are still being opened.
func TestConnectionsAreKept(t *testing.T) {
	const posts, inFlight = 4000, 256
	for protocol, limit := range map[string]int{
		"HTTP/1.1": inFlight,
		// The posts that wait for the first connection each dial one of their own.
		// Those it makes needless are given up, and while they are, posts beyond
		// the 250 that it takes at once dial more: how many depends on the machine.
		"HTTP/2.0": 2 * inFlight,
	} {
		t.Run(protocol, func(t *testing.T) {
			var arrivals atomic.Int64
			arrived := make([]chan struct{}, posts)
			for i := range arrived {
				arrived[i] = make(chan struct{})
			}
			s := newServer(t, protocol == "HTTP/2.0", func(_ http.ResponseWriter, r *http.Request) {
				if r.Proto != protocol {
					t.Errorf("the post came over %s", r.Proto)
				}
				_, _ = io.Copy(io.Discard, r.Body)
				n := int(arrivals.Add(1)) - 1
				close(arrived[n])
				<-arrived[min(n+inFlight/2, posts-1)]
			})
			send, err := s.poster(apigwposter.Options{Timeout: 30 * time.Second, InFlight: inFlight}).Prepare(make([]byte, 200))
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
			if n := int(s.accepted.Load()); n > limit {
				t.Errorf("%d posts made %d TCP connections, want at most %d", posts, n, limit)
			}
		})
	}
}
