package publish_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/adapters/memstore"
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
	return &publish.Publisher{
		Jobs: queue, Channels: queue, Subscriptions: memstore.NewSubscriptions(0, memstore.New(0)), NewID: newID,
		Policy: domain.Policy{BroadcastBy: domain.Anyone},
	}, queue
}

// subscribed returns a table in which a connection subscribes to one channel.
func subscribed(t *testing.T, c domain.Connection, to domain.Recipients) *memstore.Subscriptions {
	t.Helper()
	connections := memstore.New(0)
	subscriptions := memstore.NewSubscriptions(0, connections)
	err := connections.Put(t.Context(), c)
	if err == nil {
		err = subscriptions.Subscribe(t.Context(), domain.Subscription{To: to, Connection: c}, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return subscriptions
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

// recorder records what is sent.
type recorder struct{ sent []ports.QueueMessage }

func (r *recorder) Send(_ context.Context, messages ...ports.QueueMessage) error {
	r.sent = append(r.sent, messages...)
	return nil
}

// A queue that needs to know the job need not decode it.
func TestTheJobComesWithItsBody(t *testing.T) {
	p, _ := newPublisher()
	var queue recorder
	p.Channels = &queue
	c := publish.Command{From: domain.Connection{ID: "a", User: "alice"}, To: domain.ToUser("bob"), Content: domain.Content(`1`)}
	if _, err := p.Publish(t.Context(), c); err != nil || len(queue.sent) != 1 {
		t.Fatalf("sent %+v, %v", queue.sent, err)
	}
	if m := queue.sent[0]; m.Job == nil || m.Job.Encode() != m.Body {
		t.Errorf("the job of %s is %+v", m.Body, m.Job)
	}
}

func TestPublishSaysWhenTheQueueDoesNotTakeTheMessage(t *testing.T) {
	p, _ := newPublisher()
	queue := down{errors.New("queue down")}
	p.Jobs = queue
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

// Messages to users and rooms are queued apart from those for everyone, as what they are.
func TestPublishKeepsTheRecipients(t *testing.T) {
	bob := domain.Connection{ID: "b", User: "bob", ExpiresAt: time.Now().Add(time.Hour)}
	for to, echo := range map[domain.Recipients]bool{domain.ToUser("alice"): true, domain.ToRoom("goals"): false} {
		p, channels := newPublisher()
		p.Jobs = down{errors.New("the wrong queue")}
		p.Subscriptions = subscribed(t, bob, to)
		if _, err := p.Publish(t.Context(), publish.Command{From: bob, To: to, Content: domain.Content(`1`)}); err != nil {
			t.Fatal(err)
		}
		got, err := channels.Receive(t.Context(), 10)
		if err != nil || len(got) != 1 {
			t.Fatalf("%d jobs, error %v", len(got), err)
		}
		job, err := domain.DecodeJob(got[0].Body)
		if err != nil || job.To != to || job.Echo != echo || job.Messages[0].Sender != "bob" || (job.Messages[0].To == "alice") != echo {
			t.Errorf("job %+v, error %v", job, err)
		}
	}
}

// To a room that one is not in, or whose subscription has expired, nothing is sent.
func TestPublishWantsMembers(t *testing.T) {
	bob := domain.Connection{ID: "b", User: "bob", ExpiresAt: time.Now().Add(-time.Second)}
	p, queue := newPublisher()
	command := publish.Command{From: bob, To: domain.ToRoom("goals"), Content: domain.Content(`1`)}
	for range 2 {
		_, err := p.Publish(t.Context(), command)
		wantCode(t, err, domain.NotAMember)
		p.Subscriptions = subscribed(t, bob, command.To)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Publish(ctx, command)
	wantCode(t, err, domain.Unavailable)
	if depth := queue.Depth(); depth.Ready > 0 {
		t.Errorf("queued all the same: %+v", depth)
	}
}

// The name of a room counts too.
func TestPublishRefusesWhatDoesNotFitTheFrameOfARoom(t *testing.T) {
	p, _ := newPublisher()
	alice := domain.Connection{ID: "a", User: "alice", ExpiresAt: time.Now().Add(time.Hour)}
	room := domain.ToRoom(strings.Repeat("x", domain.MaxRoom))
	p.Subscriptions = subscribed(t, alice, room)
	overhead := domain.EnvelopeSize(room, "", domain.Message{ID: "01K4ZQ0000000000000000000A", Sender: "alice"})
	for extra, want := range map[int]domain.Code{0: "", 1: domain.ContentTooLarge} {
		content := domain.Content(`"` + strings.Repeat("x", domain.MaxPayload-overhead-2+extra) + `"`)
		_, err := p.Publish(t.Context(), publish.Command{From: alice, To: room, Content: content})
		if want == "" && err != nil {
			t.Errorf("what fits: %v", err)
		} else if want != "" {
			wantCode(t, err, want)
		}
	}
}

func wantCode(t *testing.T, err error, code domain.Code) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

// Nothing is queued by those who may not send.
func TestPublishAsksWhoSends(t *testing.T) {
	alice := domain.Connection{ID: "a", User: "alice"}
	scoped := alice
	scoped.Scope = domain.NewScope("room:goals")
	for name, test := range map[string]struct {
		from domain.Connection
		by   domain.Broadcasters
		to   domain.Recipients
		want domain.Code
	}{
		"a stranger":            {domain.Connection{}, domain.Users, domain.ToEveryone(), domain.Unauthenticated},
		"a stranger to a user":  {domain.Connection{}, domain.Anyone, domain.ToUser("bob"), domain.Unauthenticated},
		"a stranger to a room":  {domain.Connection{}, domain.Anyone, domain.ToRoom("goals"), domain.Unauthenticated},
		"not permitted":         {alice, domain.Nobody, domain.ToEveryone(), domain.Forbidden},
		"by the scope":          {scoped, domain.Anyone, domain.ToUser("bob"), domain.Forbidden},
		"permitted":             {alice, domain.Users, domain.ToEveryone(), ""},
		"permitted to a user":   {alice, domain.Nobody, domain.ToUser("bob"), ""},
		"to oneself":            {alice, domain.Nobody, domain.ToUser("alice"), ""},
		"permitted, not inside": {scoped, domain.Nobody, domain.ToRoom("goals"), domain.NotAMember},
	} {
		p, queue := newPublisher()
		p.Policy.BroadcastBy = test.by
		_, err := p.Publish(t.Context(), publish.Command{From: test.from, To: test.to, Content: domain.Content(`1`)})
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

// Whoever sends a message again must be sure that a repeat is known as one.
func TestPublishRefusesRepeatsThatNobodyWouldKnow(t *testing.T) {
	alice := domain.Connection{ID: "a", User: "alice"}
	for name, test := range map[string]struct {
		from   domain.Connection
		ref    string
		logged bool
		want   domain.Code
	}{
		"known":           {alice, "r", true, ""},
		"without a ref":   {alice, "", true, domain.InvalidAgain},
		"with a bad ref":  {alice, "\uFFFD", true, domain.InvalidAgain},
		"without a log":   {alice, "r", false, domain.NoHistory},
		"without a user":  {domain.Connection{ID: "a"}, "r", true, domain.Unauthenticated},
		"with a long ref": {alice, strings.Repeat("r", domain.MaxRef+1), true, domain.InvalidAgain},
	} {
		p, queue := newPublisher()
		p.Logged = test.logged
		command := publish.Command{From: test.from, To: domain.ToEveryone(), Content: domain.Content(`1`), Ref: test.ref, Again: true}
		m, err := p.Publish(t.Context(), command)
		if test.want == "" && (err != nil || m.Ref != "r" || !m.Again) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
		if test.want != "" {
			wantCode(t, err, test.want)
		}
		if queued := queue.Depth().Ready == 1; queued != (test.want == "") {
			t.Errorf("%s: queued %v", name, queued)
		}
		command.Again = false
		if m, err := p.Publish(t.Context(), command); err != nil || (m.Ref != "") != (test.want == "") {
			t.Errorf("%s, as a first try: %+v, %v", name, m, err)
		}
	}
}
