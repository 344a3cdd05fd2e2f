package lambdalocal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

// consumer is a function that records what it gets.
type consumer struct {
	// respond returns the response to a batch; nil for success.
	respond func(events.SQSEvent) (string, error)

	mu      sync.Mutex
	batches []events.SQSEvent
}

func (c *consumer) invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.SQSEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.batches = append(c.batches, event)
	c.mu.Unlock()
	if c.respond == nil {
		return []byte(`{"batchItemFailures":null}`), nil
	}
	out, err := c.respond(event)
	return []byte(out), err
}

// bodies returns what arrived, batch by batch.
func (c *consumer) bodies() (all [][]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, batch := range c.batches {
		var bodies []string
		for _, r := range batch.Records {
			bodies = append(bodies, r.Body)
		}
		all = append(all, bodies)
	}
	return all
}

func (c *consumer) count(body string) (n int) {
	for _, b := range c.bodies() {
		if slices.Contains(b, body) {
			n++
		}
	}
	return n
}

func source(t *testing.T, queue awslocal.Queue, c *consumer) *lambdalocal.EventSource {
	return &lambdalocal.EventSource{Client: awslocal.SQS(t), QueueURL: queue.URL, Invoke: c.invoke}
}

func put(t *testing.T, queue awslocal.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		_, err := awslocal.SQS(t).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue.URL, MessageBody: &body})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// held returns how many messages a queue has, visible or not.
func held(t *testing.T, url string) string {
	t.Helper()
	out, err := awslocal.SQS(t).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"] + "+" + out.Attributes["ApproximateNumberOfMessagesNotVisible"]
}

func eventuallyHolds(t *testing.T, url, want string) {
	t.Helper()
	testenv.Eventually(t, patience, "the queue holds "+want, func() bool { return held(t, url) == want })
}

func TestEventOfABatch(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
	put(t, queue, "한글 <&>")
	source(t, queue, c).Start(t)
	testenv.Eventually(t, patience, "it comes", func() bool { return c.count("한글 <&>") == 1 })
	eventuallyHolds(t, queue.URL, "0+0")
	record := c.batches[0].Records[0]
	arn := "arn:aws:sqs:" + awslocal.Region + ":"
	if record.EventSource != "aws:sqs" || record.AWSRegion != awslocal.Region || !strings.HasPrefix(record.EventSourceARN, arn) {
		t.Errorf("source %q in %q, %q", record.EventSource, record.AWSRegion, record.EventSourceARN)
	}
	if record.MessageId == "" || record.ReceiptHandle == "" || record.Md5OfBody == "" {
		t.Errorf("record %+v", record)
	}
	for _, name := range []string{"ApproximateReceiveCount", "SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		if record.Attributes[name] == "" {
			t.Errorf("attribute %s is missing", name)
		}
	}
}

func TestBatchesOfWhatIsThere(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
	var want []string
	for i := range 23 {
		want = append(want, fmt.Sprint(i))
	}
	put(t, queue, want...)
	s := source(t, queue, c)
	s.Concurrency = 1
	s.Start(t)
	eventuallyHolds(t, queue.URL, "0+0")
	if got := c.bodies(); len(got) != 3 || !slices.Equal(slices.Concat(got...), want) {
		t.Errorf("got %v", got)
	}
}

func TestWindowGathersMore(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
	s := source(t, queue, c)
	s.BatchSize, s.Window, s.Concurrency = 12, 10*time.Minute, 1
	s.Start(t)
	for i := range 12 {
		put(t, queue, fmt.Sprint(i))
	}
	eventuallyHolds(t, queue.URL, "0+0")
	if got := c.bodies(); len(got) != 1 || len(got[0]) != 12 {
		t.Errorf("got %v, want one batch", got)
	}
}

func TestWindowEnds(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
	s := source(t, queue, c)
	s.BatchSize, s.Window = 12, time.Second
	put(t, queue, "alone")
	s.Start(t)
	eventuallyHolds(t, queue.URL, "0+0")
}

// A batch never exceeds the maximum payload of an invocation.
func TestLargeMessagesAreSeveralPayloads(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
	large := strings.Repeat(`"`, 1<<20)
	put(t, queue, large, large, large, "small")
	s := source(t, queue, c)
	s.Invoke = func(ctx context.Context, payload []byte) ([]byte, error) {
		if len(payload) > lambdalocal.MaxPayload {
			return nil, fmt.Errorf("payload of %d bytes", len(payload))
		}
		return c.invoke(ctx, payload)
	}
	s.Start(t)
	eventuallyHolds(t, queue.URL, "0+0")
}

func TestPartialFailure(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Second, 3), new(consumer)
	c.respond = func(event events.SQSEvent) (string, error) {
		for _, r := range event.Records {
			if r.Body == "poison" {
				return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.MessageId), nil
			}
		}
		return "", nil
	}
	put(t, queue, "a", "poison", "b")
	source(t, queue, c).Start(t)
	eventuallyHolds(t, queue.DeadLetterURL, "1+0")
	eventuallyHolds(t, queue.URL, "0+0")
	if got := c.count("poison"); got != 3 {
		t.Errorf("the poison arrived %d times, want 3", got)
	}
	// A batch that takes longer than the visibility timeout is redelivered.
	if c.count("a") == 0 || c.count("b") == 0 {
		t.Errorf("got %v, want a and b as well", c.bodies())
	}
}

func TestResponses(t *testing.T) {
	for name, row := range map[string]struct {
		response string
		err      error
		deleted  bool
	}{
		"empty":                {"", nil, true},
		"null":                 {"null", nil, true},
		"empty object":         {"{}", nil, true},
		"empty list":           {`{"batchItemFailures":[]}`, nil, true},
		"no list":              {`{"batchItemFailures":null}`, nil, true},
		"unknown id":           {`{"batchItemFailures":[{"itemIdentifier":"other"}]}`, nil, false},
		"empty id":             {`{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, false},
		"wrong key":            {`{"batchItemFailures":[{"id":"a"}]}`, nil, false},
		"not JSON":             {"done", nil, false},
		"error":                {"", errors.New("failed"), false},
		"error with a message": {"{}", &lambdalocal.Error{Type: lambdalocal.TimedOut}, false},
	} {
		t.Run(name, func(t *testing.T) {
			queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
			answered := make(chan struct{}, 1)
			c.respond = func(events.SQSEvent) (string, error) {
				answered <- struct{}{}
				return row.response, row.err
			}
			put(t, queue, "a", "b")
			s := source(t, queue, c)
			s.Concurrency = 1
			t.Run("once", func(t *testing.T) {
				s.Start(t)
				<-answered
			}) // has waited until the response is dealt with
			want := "0+2"
			if row.deleted {
				want = "0+0"
			}
			if got := held(t, queue.URL); got != want {
				t.Errorf("the queue holds %s, want %s", got, want)
			}
		})
	}
}

// Only the function's own timeout limits an invocation.
func TestInvocationsHaveNoDeadline(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
	s := source(t, queue, c)
	s.Invoke = func(ctx context.Context, payload []byte) ([]byte, error) {
		if deadline, ok := ctx.Deadline(); ok {
			t.Errorf("the invocation ends in %v", time.Until(deadline))
		}
		return c.invoke(ctx, payload)
	}
	put(t, queue, "a")
	s.Start(t)
	eventuallyHolds(t, queue.URL, "0+0")
}

func TestConcurrentBatches(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Minute, 5), new(consumer)
	var together sync.WaitGroup
	together.Add(3)
	c.respond = func(events.SQSEvent) (string, error) {
		together.Done()
		together.Wait() // forever, if fewer run at once
		return "", nil
	}
	s := source(t, queue, c)
	s.BatchSize, s.Concurrency = 1, 3
	put(t, queue, "a", "b", "c")
	s.Start(t)
	eventuallyHolds(t, queue.URL, "0+0")
}

func TestQueueIsDownForAWhile(t *testing.T) {
	queue, c := awslocal.CreateQueue(t, time.Second, 5), new(consumer)
	var faults lambdalocal.Switch
	s := source(t, queue, c)
	s.Client = awslocal.SQSAt(awslocal.Proxy(t, awslocal.SQSEndpoint(t), faults.Serve))
	s.Start(t)
	put(t, queue, "a")
	eventuallyHolds(t, queue.URL, "0+0")
	refused := make(chan struct{}, 1)
	faults.Set(func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		select {
		case refused <- struct{}{}:
		default:
		}
		lambdalocal.Down(w, r, operation, next)
	})
	put(t, queue, "b") // ends a long poll from before
	<-refused
	faults.Set(nil)
	put(t, queue, "c")
	testenv.Eventually(t, patience, "both come", func() bool { return c.count("b") > 0 && c.count("c") > 0 })
}
