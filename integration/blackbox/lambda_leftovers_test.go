package blackbox

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/integration/awslocal"
	"serverless-websocket/integration/lambdalocal"
	"serverless-websocket/integration/testenv"
)

// TestSplitBroadcast has so small a quota that one worker would take nine seconds
// for everybody. It keeps a part of the job, and others get theirs, one by one,
// through the queue of leftovers.
func TestSplitBroadcast(t *testing.T) {
	const clients, workers = 90, 3 // one for new jobs and all for leftovers
	s := startLambda(t, lambdaConfig{fanOut: []string{"FAN_OUT_CONCURRENCY=4", "POSTS_PER_SECOND=40"}})
	all := dialMany(t, s.target, clients)
	a := all[0].broadcast(`"for everybody"`)
	for _, c := range all {
		c.wantMessage(a.ID)
	}
	parts := s.logs.await(t, "split", "messageIds", a.ID).number("segments")
	if parts < workers {
		t.Errorf("%d parts for %d workers", parts, workers)
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
	wantEmpty(t, s.queue.DeadLetterURL)
}

// TestSlowRetriesKeepNoMessageWaiting has all workers for leftovers busy with
// clients whose posts take until their time limit, and more such jobs waiting. A
// new message gets to the others before any of these is done.
func TestSlowRetriesKeepNoMessageWaiting(t *testing.T) {
	const slowClients, jobs, workers = 20, 12, 2
	posts, slow := newGate(1), new(sync.Map) // slow has the ids
	s := startLambda(t, lambdaConfig{beforePost: func(r *http.Request) {
		if _, ok := slow.Load(path.Base(r.URL.Path)); ok {
			posts.pass(r)
		}
	}})
	owed := dialMany(t, s.target, slowClients)
	for _, id := range connected(t, s.target, slowClients) {
		slow.Store(id, true)
	}
	sender, receiver := dial(t, s.target), dial(t, s.target)
	s.leaveOver(t, jobs, slow)
	testenv.Eventually(t, patience, "all workers for leftovers are busy", func() bool {
		return posts.held.Load() == workers*slowClients
	})

	var a accepted
	testenv.Eventually(t, patience, "a message comes before one of them is done", func() bool {
		before := s.busy("fanout")
		a = sender.broadcast(`"at once"`)
		receiver.wantMessage(a.ID)
		after := s.busy("fanout")
		done := func(e lambdalocal.Environment) bool { return !slices.Contains(after, e) }
		return len(before) >= workers && !slices.ContainsFunc(before, done)
	})
	posts.open()
	for _, c := range owed {
		c.wantMessage(a.ID)
	}
}

// leaveOver puts so many jobs for the connections on the queue of leftovers, as
// workers do that could not post to them.
func (s *lambdaService) leaveOver(t *testing.T, jobs int, connections *sync.Map) {
	t.Helper()
	only, comma := "", ""
	for id := range connections.Range {
		only += fmt.Sprintf(`%s{"id":%q,"at":1}`, comma, id)
		comma = ","
	}
	for i := range jobs {
		body := fmt.Sprintf(`{"v":1,"messages":[{"id":"owed-%d","sentAt":1,"content":"1"}],"only":[%s],"attempt":1}`, i, only)
		_, err := awslocal.SQS(t).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &s.leftoversURL, MessageBody: &body})
		if err != nil {
			t.Fatal(err)
		}
	}
}
