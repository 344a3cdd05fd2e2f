package blackbox

import (
	"fmt"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// TestProdStage runs prod as deployed. Its batching window gathers more jobs than one
// request to the queue returns.
func TestProdStage(t *testing.T) {
	const messages, oneRequest = 30, 10
	s := startLambda(t, lambdaConfig{stage: "prod"})
	wscat(t, s.target)
	sender, receiver := dial(t, s.target), dial(t, s.target)
	testenv.Eventually(t, patience, "more jobs in a batch than one request returns", func() bool {
		var ids []string
		for i := range messages {
			ids = append(ids, sender.broadcast(fmt.Sprint(i)).ID)
		}
		receiver.wantMessages(ids, "none")
		return s.largestBatch() > oneRequest
	})
	wantEmpty(t, s.queue.DeadLetterURL)
}

// largestBatch is the number of messages in the largest fan-out.
func (s *lambdaService) largestBatch() (most int) {
	for _, e := range s.logs.find(func(e entry) bool { return e.text("msg") == "fanned out" }) {
		ids, _ := e["messageIds"].([]any)
		most = max(most, len(ids))
	}
	return most
}
