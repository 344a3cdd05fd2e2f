package blackbox

import (
	"fmt"
	"testing"
)

// smallQuota gives a worker ten posts a second, and two for connections that have failed
// before.
const smallQuota = "POSTS_PER_SECOND=45"

// TestSplitBroadcast has a worker that would take nine seconds for everyone by itself. It
// keeps a part of the job, and each worker for parts gets one.
func TestSplitBroadcast(t *testing.T) {
	const clients = 90
	s := startLambda(t, lambdaConfig{variables: map[string][]string{"fanout": {smallQuota}}})
	all := dialMany(t, s.target, clients)
	a := all[0].broadcast(`"for everyone"`)
	for _, c := range all {
		c.wantMessage(a.ID)
	}
	parts := s.logs.await(t, "split", "messageIds", a.ID).number("segments")
	if parts != concurrency-5 {
		t.Errorf("%d parts, want one for each of %d workers", parts, concurrency-5)
	}
	posts, invocations := 0, make(map[string]bool)
	for i := range parts {
		e := s.logs.await(t, "fanned out", "audience", fmt.Sprintf("segment %d of %d", i, parts))
		posts += e.number("posts")
		invocations[e.text("requestId")] = true
	}
	if posts != clients {
		t.Errorf("%d posts, want one for each of %d clients", posts, clients)
	}
	if len(invocations) != parts {
		t.Errorf("%d invocations for %d parts, want one for each", len(invocations), parts)
	}
	wantEmpty(t, s.retriesURL)
	wantEmpty(t, s.queue.DeadLetterURL)
}
