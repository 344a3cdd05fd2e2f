package apigwposter_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/domain"
	"serverless-websocket/ports/porttest"
)

// TestPoster runs the suite against a small stand-in for the gateway. The integration
// tests run the same poster against this service's own gateway.
func TestPoster(t *testing.T) {
	porttest.TestPoster(t, func(t *testing.T) porttest.PosterHarness {
		g := &gateway{open: map[string]chan []byte{}}
		s := newServer(t, true, g.serve)
		otherStage := &server{endpoint: s.endpoint + "x", client: s.client}
		return porttest.PosterHarness{
			Poster:    s.poster(apigwposter.Options{Timeout: time.Minute}),
			Open:      g.connect,
			Closed:    "L0SM9cOFvHcCIhw=",
			Unknown:   "Zm9vYmFyYmF6cXV=",
			Malformed: "odd",
			Denied:    otherStage.poster(apigwposter.Options{Timeout: time.Minute}),
			OpenDeaf:  func(t *testing.T) domain.ConnectionID { id, _ := g.connect(t); return id },
		}
	})
}

// gateway keeps open connections, each with a buffer of some messages.
type gateway struct {
	mu   sync.Mutex
	open map[string]chan []byte
}

func (g *gateway) connect(t *testing.T) (domain.ConnectionID, func() []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := strings.Repeat("=/+", len(g.open)+1)
	messages := make(chan []byte, 128)
	g.open[id] = messages
	return domain.ConnectionID(id), func() []byte {
		select {
		case m := <-messages:
			return m
		case <-time.After(time.Minute):
			t.Fatal("no message arrived")
			return nil
		}
	}
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request) {
	last, known := strings.CutPrefix(r.URL.EscapedPath(), "/dev/@connections/")
	id, _ := url.PathUnescape(last)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	g.mu.Lock()
	messages, open := g.open[id]
	g.mu.Unlock()
	switch {
	case !known:
		refuse(w, http.StatusForbidden, "ForbiddenException")
		return
	case id == "odd":
		refuse(w, http.StatusBadRequest, "BadRequestException")
		return
	case !open:
		refuse(w, http.StatusGone, "GoneException")
		return
	case r.Method == http.MethodDelete:
		g.mu.Lock()
		delete(g.open, id)
		g.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	select {
	case messages <- body:
	default:
		refuse(w, http.StatusTooManyRequests, "LimitExceededException")
	}
}
