package blackbox

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

const (
	retryWorkers = 2
	retryJobs    = 12 // more than they process at once
)

// TestSlowRetriesKeepNoMessageWaiting keeps both retry workers busy with clients whose
// posts time out, with more such jobs waiting. A new message reaches the others before
// any of these is done.
func TestSlowRetriesKeepNoMessageWaiting(t *testing.T) {
	const slowClients = 20
	posts, slow := newGate(1), new(sync.Map)
	s := startLambda(t, lambdaConfig{beforePost: posts.passTo(slow)})
	owed := dialMany(t, s.target, slowClients)
	for _, id := range connected(t, s.target, slowClients) {
		slow.Store(id, true)
	}
	sender, receiver := dial(t, s.target), dial(t, s.target)
	s.leaveOver(t, slow)
	testenv.Eventually(t, patience, "both retry workers are waiting for the clients", func() bool {
		return posts.held.Load() == retryWorkers*slowClients
	})

	a := s.wantOvertaking(t, sender, receiver)
	posts.open()
	for _, c := range owed {
		c.wantMessage(a.ID)
	}
}

// TestSlowRetriesKeepNoPartWaiting does the same for a split message. The slow
// connections belong to no client, so that only retries meet them.
func TestSlowRetriesKeepNoPartWaiting(t *testing.T) {
	const clients, slowConnections = 60, 8
	posts, slow := newGate(1), new(sync.Map)
	for i := range slowConnections {
		slow.Store(fmt.Sprintf("slow-%d", i), true)
	}
	s := startLambda(t, lambdaConfig{variables: map[string][]string{"fanout": {smallQuota}}, beforePost: posts.passTo(slow)})
	all := dialMany(t, s.target, clients)
	s.leaveOver(t, slow)
	testenv.Eventually(t, patience, "both retry workers are busy", func() bool {
		return len(s.busy("fanout")) == retryWorkers
	})

	a := s.wantOvertaking(t, all[0], all...)
	posts.open()
	s.logs.await(t, "split", "messageIds", a.ID)
}

// passTo returns a function that holds up posts to the connections whose ids are keys of
// the map.
func (g *gate) passTo(connections *sync.Map) func(*http.Request) {
	return func(r *http.Request) {
		if _, ok := connections.Load(path.Base(r.URL.Path)); ok {
			g.pass(r)
		}
	}
}

// leaveOver puts jobs for the connections on the retries queue, like workers that could
// not post to them.
func (s *lambdaService) leaveOver(t *testing.T, connections *sync.Map) {
	t.Helper()
	var only []string
	for id := range connections.Range {
		only = append(only, fmt.Sprintf(`{"id":%q,"at":0}`, id))
	}
	for i := range retryJobs {
		body := fmt.Sprintf(`{"v":1,"messages":[{"id":"01K4ZQ%020d","sentAt":1795338000123,"content":"1"}],"only":[%s],"attempt":1}`,
			i, strings.Join(only, ","))
		_, err := awslocal.SQS(t).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &s.retriesURL, MessageBody: &body})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantOvertaking broadcasts until a message reaches the receivers before any of the
// workers that were busy when it was sent is done. It returns that message.
func (s *lambdaService) wantOvertaking(t *testing.T, sender *client, receivers ...*client) (a accepted) {
	t.Helper()
	testenv.Eventually(t, patience, "a message arrives before one of them is done", func() bool {
		before := s.busy("fanout")
		a = sender.broadcast(`"at once"`)
		for _, c := range receivers {
			c.wantMessage(a.ID)
		}
		after := s.busy("fanout")
		done := func(e lambdalocal.Environment) bool { return !slices.Contains(after, e) }
		return len(before) >= retryWorkers && !slices.ContainsFunc(before, done)
	})
	return a
}
