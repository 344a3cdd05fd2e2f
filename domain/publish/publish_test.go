package publish_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/domain/publish"
	"serverless-websocket/ports"
)

// down is a queue that takes nothing.
type down struct{ err error }

func (d down) Send(context.Context, ...ports.QueueMessage) error { return d.err }

func newPublisher() (*publish.Publisher, *memqueue.Queue) {
	queue := memqueue.New(memqueue.Config{})
	newID := func(time.Time) domain.MessageID { return "01K4ZQ0000000000000000000A" }
	return &publish.Publisher{Queue: queue, NewID: newID, Policy: domain.Policy{BroadcastBy: domain.Anyone}}, queue
}

func toEveryone(content domain.Content) publish.Command {
	return publish.Command{To: domain.ToEveryone(), Content: content}
}

func TestAnAcceptedMessageIsAJobForEveryone(t *testing.T) {
	p, queue := newPublisher()
	message, err := p.Publish(context.Background(), toEveryone(domain.Content(`{ "a": 1 }`)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := queue.Receive(context.Background(), 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d jobs, error %v", len(got), err)
	}
	job, err := domain.DecodeJob(got[0].Body)
	if err != nil || job.To != domain.ToEveryone() || len(job.Messages) != 1 || job.Messages[0].ID != message.ID ||
		string(job.Messages[0].Content) != `{ "a": 1 }` {
		t.Errorf("%+v, error %v", job, err)
	}
}

func TestPublishSaysWhenTheQueueDoesNotTakeTheMessage(t *testing.T) {
	p, _ := newPublisher()
	queue := down{errors.New("queue down")}
	p.Queue = queue
	_, err := p.Publish(context.Background(), toEveryone(domain.Content(`1`)))
	wantCode(t, err, domain.Unavailable)
	if !errors.Is(err, queue.err) {
		t.Errorf("the cause is missing from %v", err)
	}
}

func TestPublishRefusesWhatDoesNotFitAFrame(t *testing.T) {
	p, queue := newPublisher()
	_, err := p.Publish(context.Background(), toEveryone(domain.Content(`"`+strings.Repeat("x", domain.MaxPayload)+`"`)))
	wantCode(t, err, domain.ContentTooLarge)
	if depth := queue.Depth(); depth.Ready > 0 {
		t.Errorf("queued all the same: %+v", depth)
	}
}

// An id that is not a ULID would break the frame for all messages in it.
func TestPublishRefusesAnIDThatIsNone(t *testing.T) {
	p, queue := newPublisher()
	p.NewID = func(time.Time) domain.MessageID { return `","content":"forged` }
	if _, err := p.Publish(context.Background(), toEveryone(domain.Content(`1`))); err == nil {
		t.Error("accepted")
	}
	if depth := queue.Depth(); depth.Ready > 0 {
		t.Errorf("queued all the same: %+v", depth)
	}
}

// A forgotten field must not turn a private message into a broadcast.
func TestPublishRefusesRecipientsThatAreNone(t *testing.T) {
	for _, to := range []domain.Recipients{{}, {Kind: domain.User}, {Kind: domain.Everyone, Name: "alice"}} {
		p, queue := newPublisher()
		_, err := p.Publish(context.Background(), publish.Command{To: to, Content: domain.Content(`1`)})
		wantCode(t, err, domain.Internal)
		if depth := queue.Depth(); depth.Ready > 0 {
			t.Errorf("queued all the same: %+v", depth)
		}
	}
}

// A message to a user is queued as one to that user.
func TestPublishKeepsTheRecipients(t *testing.T) {
	p, queue := newPublisher()
	to := domain.Recipients{Kind: domain.User, Name: "alice"}
	if _, err := p.Publish(context.Background(), publish.Command{From: domain.Principal{User: "bob"}, To: to, Content: domain.Content(`1`)}); err != nil {
		t.Fatal(err)
	}
	got, err := queue.Receive(context.Background(), 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d jobs, error %v", len(got), err)
	}
	if job, err := domain.DecodeJob(got[0].Body); err != nil || job.To != to || job.Messages[0].Sender != "bob" {
		t.Errorf("job %+v, error %v", job, err)
	}
}

func wantCode(t *testing.T, err error, code domain.Code) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

// An expired token permits nothing, and nothing is queued by those who may not send.
func TestPublishAsksWhoSends(t *testing.T) {
	past, future := time.Now().Add(-time.Second), time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		from domain.Principal
		by   domain.Broadcasters
		want domain.Code
	}{
		"expired":       {domain.Principal{User: "alice", ExpiresAt: past}, domain.Anyone, domain.Unauthenticated},
		"not permitted": {domain.Principal{User: "alice", ExpiresAt: future}, domain.Nobody, domain.Forbidden},
		"permitted":     {domain.Principal{User: "alice", ExpiresAt: future}, domain.Users, ""},
	} {
		p, queue := newPublisher()
		p.Policy.BroadcastBy = test.by
		command := toEveryone(domain.Content(`1`))
		command.From = test.from
		_, err := p.Publish(context.Background(), command)
		if test.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if test.want != "" {
			wantCode(t, err, test.want)
		}
		if queued := queue.Depth().Ready == 1; queued != (test.want == "") {
			t.Errorf("%s: queued %v", name, queued)
		}
	}
}
