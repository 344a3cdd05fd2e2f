package blackbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

const throttled = "ProvisionedThroughputExceededException"

// TestWorkerKilledDuringBroadcast kills the fan-out's environment when half of the
// clients have the message. The job is redelivered, and the message may be too, under the
// same id.
func TestWorkerKilledDuringBroadcast(t *testing.T) {
	const clients = 40
	posts := newGate(clients / 2)
	s := startLambda(t, lambdaConfig{visibility: 2 * time.Second, beforePost: posts.pass})
	all := dialMany(t, s.target, clients)
	a := all[0].broadcast(`"survives"`)
	posts.await(t)
	if s.killBusy("fanout") == 0 {
		t.Error("no worker was killed, want the one in the middle of the broadcast")
	}
	posts.lose()
	for _, c := range all {
		c.wantMessage(a.ID)
	}
	s.wantDelivered(t, a.ID, clients) // by the next worker: a killed one logs nothing
	wantEmpty(t, s.queue.DeadLetterURL)
}

// killBusy kills the environments of a function that are handling an invocation, and
// returns how many.
func (s *lambdaService) killBusy(name string) int {
	busy := s.busy(name)
	for _, e := range busy {
		s.functions[name].Kill(e.ID)
	}
	return len(busy)
}

// busy returns the environments of a function that are handling an invocation.
func (s *lambdaService) busy(name string) []lambdalocal.Environment {
	return slices.DeleteFunc(s.functions[name].Environments(), func(e lambdalocal.Environment) bool { return !e.Busy })
}

// wantMessage reads until the message with the id arrives.
func (c *client) wantMessage(id string) {
	c.t.Helper()
	for {
		m, err := c.message()
		if err != nil {
			c.t.Fatalf("message %s did not arrive: %v", id, err)
		}
		if m.ID == id {
			return
		}
	}
}

// TestFunctionsTimeOut freezes functions until their timeout. The gateway answers the
// clients that are waiting for one; new environments serve the next invocations. The
// worker is stopped in the middle of a broadcast.
func TestFunctionsTimeOut(t *testing.T) {
	posts := newGate(2)
	s := startLambda(t, lambdaConfig{beforePost: posts.pass, visibility: 20 * time.Second, timeouts: map[string]time.Duration{
		"fanout": 15 * time.Second, // it begins nothing in the last 10
	}})
	clients := []*client{dial(t, s.target), dial(t, s.target), dial(t, s.target)}
	resume := s.stall("connectionmanager")
	if _, err := tryDial(t, s.target); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("connected, or not refused with 502: %v", err)
	}
	resume()
	clients = append(clients, dial(t, s.target))

	a := clients[0].broadcast(`"in time, at last"`)
	posts.await(t)
	workers := s.busy("fanout") // any of the existing environments
	for _, e := range workers {
		s.functions["fanout"].Pause(e.ID)
	}
	posts.open()
	resume = s.stall("sendmessage")
	clients[1].send(sendTemplate + `"lost in time"}`)
	if err := clients[1].wantGatewayError("Internal server error"); err != nil {
		t.Error(err)
	}
	resume()
	b := clients[1].broadcast(`"by another environment"`)
	for _, c := range clients {
		c.wantMessages([]string{a.ID, b.ID}, `"lost in time"`)
	}
	if len(workers) == 0 {
		t.Error("no worker was in the middle of the broadcast")
	}
	for _, e := range workers {
		testenv.Eventually(t, patience, "the worker times out", func() bool {
			return s.functions["fanout"].Environments()[e.ID-1].Ended
		})
	}
}

// stall makes only the next invocation of a function time out, by freezing all existing
// environments. resume gives later ones enough time for a busy machine.
func (s *lambdaService) stall(name string) (resume func()) {
	f := s.functions[name]
	for _, e := range f.Environments() {
		f.Pause(e.ID)
	}
	f.SetTimeout(time.Second)
	return func() { f.SetTimeout(patience) }
}

// wantGatewayError reads until a frame from the gateway itself.
func (c *client) wantGatewayError(text string) error {
	for {
		f, err := c.read()
		if err != nil || strings.HasPrefix(f, `{"message":"`+text+`",`) {
			return err
		}
		if !strings.HasPrefix(f, `{"messages":[`) {
			return fmt.Errorf("got %s, want %s", f, text)
		}
	}
}

// TestQueueDown breaks every connection to SQS, including that of the event source, while
// a worker is busy. Messages accepted before are delivered; meanwhile nothing is
// accepted.
func TestQueueDown(t *testing.T) {
	posts := newGate(1)
	s := startLambda(t, lambdaConfig{visibility: 3 * time.Second, sourceThrough: true, beforePost: posts.pass})
	sender, receiver := dial(t, s.target), dial(t, s.target)
	accepts := []string{sender.broadcast(`"before"`).ID}
	posts.await(t)
	accepts = append(accepts, sender.broadcast(`"waiting"`).ID)

	s.sqs.Set(lambdalocal.Down)
	posts.open()
	for up := time.Now().Add(3 * time.Second); time.Now().Before(up); {
		sender.send(sendTemplate + `"refused","ref":"down"}`)
		if f, err := sender.reply(); err != nil || f.Error == nil || f.Error.Code != "unavailable" || f.Error.Ref != "down" {
			t.Fatalf("got %+v, %v; want unavailable", f, err)
		}
	}
	s.sqs.Set(nil)
	accepts = append(accepts, sender.broadcast(`"after"`).ID)
	for _, c := range []*client{sender, receiver} {
		c.wantMessages(accepts, `"refused"`)
	}
	for _, url := range []string{s.queue.URL, s.partsURL, s.retriesURL} {
		testenv.Eventually(t, patience, "the queue is empty", func() bool { return holds(t, url) == "0+0+0" })
	}
	wantEmpty(t, s.queue.DeadLetterURL)
}

// wantMessages reads until all ids have arrived, in any order and at least once each, and
// fails on a message with the forbidden content.
func (c *client) wantMessages(ids []string, forbidden string) {
	c.t.Helper()
	for missing := slices.Clone(ids); len(missing) > 0; {
		m, err := c.message()
		if err != nil {
			c.t.Fatalf("messages %v did not arrive: %v", missing, err)
		}
		if string(m.Content) == forbidden {
			c.t.Errorf("got %s", m.Content)
		}
		missing = slices.DeleteFunc(missing, func(id string) bool { return id == m.ID })
	}
}

// TestTableThatTakesTooLong has a table not answer within the time of the function, as when
// several slow calls add up. The client is told so before Lambda ends the invocation.
func TestTableThatTakesTooLong(t *testing.T) {
	cfg := identifiedLambda(identity{})
	cfg.timeouts = map[string]time.Duration{"rooms": 2 * time.Second} // a call can take 4 s
	s := startLambda(t, cfg)
	alice := signIn(t, s.target, token(t, "alice", nil))
	s.dynamoDB.Set(func(_ http.ResponseWriter, r *http.Request, _ string, _ http.Handler) { <-r.Context().Done() })
	alice.ask(`{"action":"joinRoom","room":"goals"}`, `"code":"unavailable"`)
	s.dynamoDB.Set(nil)
	alice.ask(`{"action":"joinRoom","room":"goals"}`, `"joined"`)
}

// TestTableThrottled has DynamoDB refuse two of three requests, which no one notices, and
// then all of them for a while. TestLogsDown is the same with history, which no one gets past.
func TestTableThrottled(t *testing.T) {
	s := startLambda(t, lambdaConfig{params: []string{keepNothing}, visibility: 20 * time.Second})
	s.dynamoDB.Set(lambdalocal.Throttle(3, throttled))
	var clients []*client
	for range 5 {
		clients = append(clients, dial(t, s.target))
	}
	a := clients[0].broadcast(`"slowly"`)
	for _, c := range clients {
		c.wantMessage(a.ID)
	}

	s.dynamoDB.Set(lambdalocal.Throttle(0, throttled))
	if _, err := tryDial(t, s.target); err == nil {
		t.Error("connected, but not registered")
	}
	a = clients[0].broadcast(`"later"`)
	if e := s.logs.await(t, "fanned out", "messageIds", a.ID); e["scanRequeued"] != true || e.number("delivered") != 0 {
		t.Errorf("a worker that cannot read the table: %v", e)
	}
	s.dynamoDB.Set(nil)
	for _, c := range clients {
		c.wantMessage(a.ID)
	}
	dial(t, s.target).broadcast(`"as before"`)
}

// TestPoisonJob puts a body that no worker can decode on the queue, among normal jobs.
func TestPoisonJob(t *testing.T) {
	s := startLambda(t, lambdaConfig{visibility: 4 * time.Second, maxReceives: 2})
	sender, receiver := dial(t, s.target), dial(t, s.target)
	const poison = `{"v":1,"messages":"poison"}`
	_, err := awslocal.SQS(t).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &s.queue.URL, MessageBody: aws.String(poison)})
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	testenv.Eventually(t, patience, "the poison is a dead letter", func() bool {
		sent++
		a := sender.broadcast(fmt.Sprint(sent))
		receiver.wantMessage(a.ID)
		return holds(t, s.queue.DeadLetterURL) == "1+0+0"
	})
	out, err := awslocal.SQS(t).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &s.queue.DeadLetterURL})
	if err != nil || len(out.Messages) != 1 || *out.Messages[0].Body != poison {
		t.Errorf("the dead letter is %+v, %v", out, err)
	}
	testenv.Eventually(t, patience, "it was refused twice", func() bool {
		return len(s.logs.find(func(e entry) bool { return e.text("msg") == "job refused" })) == 2
	})
	t.Logf("%d broadcasts were delivered meanwhile", sent)
}

// TestConnectionsAPINeedsASignature checks the stand-in for IAM on which all other tests
// rely to know that fanout signs its posts.
func TestConnectionsAPINeedsASignature(t *testing.T) {
	s := startLambda(t, lambdaConfig{})
	response, err := http.Post(s.managementEndpoint+"/@connections/abc=", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned post is answered %d, want 403", response.StatusCode)
	}
}
