package dynamostore_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"serverless-websocket/domain"
)

// A large answer that ends too early, since its connection broke, is asked for again.
func TestAnAnswerThatIsCutShort(t *testing.T) {
	l := newLogTable(t)
	m := l.messages(1)[0]
	m.Content = domain.Content(`"` + strings.Repeat("x", 90<<10) + `"`)
	if _, err := l.open().Append(t.Context(), goals, []domain.Message{m}, false); err != nil {
		t.Fatal(err)
	}
	var seen atomic.Int64
	log := l.behind(func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		if seen.Add(1) > 1 {
			next.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.Header())
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2]) // the client is there
		panic(http.ErrAbortHandler)
	})
	s, err := log.Before(t.Context(), goals, domain.Position{}, 10, 1<<30)
	if err != nil || len(s.Messages) != 1 || seen.Load() != 2 {
		t.Errorf("%d messages after %d requests, %v", len(s.Messages), seen.Load(), err)
	}
}
