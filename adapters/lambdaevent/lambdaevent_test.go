package lambdaevent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/domain/publish"
	"serverless-websocket/domain/session"
	"serverless-websocket/ports"
)

var update = flag.Bool("update", false, "rewrite the golden responses")

// The events are API Gateway's and SQS's; each has its response beside it.
func TestGoldenEvents(t *testing.T) {
	unseen := newFunctions().useCases.Routes()
	files, err := filepath.Glob(filepath.Join("testdata", "*.event.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".event.json")
		t.Run(filepath.Base(name), func(t *testing.T) {
			event, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			route := routeOf(t, event)
			delete(unseen, route)
			got, err := json.MarshalIndent(newFunctions().handlerOf(route)(t, event), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".response.json", append(got, '\n'))
		})
	}
	for route := range unseen {
		t.Errorf("no event for the route %s", route)
	}
}

// routeOf returns the route of an event of API Gateway, and none for a batch.
func routeOf(t *testing.T, event []byte) string {
	var gateway struct{ RequestContext struct{ RouteKey string } }
	if err := json.Unmarshal(event, &gateway); err != nil {
		t.Fatal(err)
	}
	return gateway.RequestContext.RouteKey
}

func (f *functions) handlerOf(route string) func(t *testing.T, event []byte) any {
	switch route {
	case "":
		return handler(f.fanOut.Handle)
	case "GET /ping":
		return handler(lambdaevent.Ping)
	}
	return handler(f.useCases.Routes()[route].Handler)
}

// handler calls a function as the Lambda runtime does: with the event decoded.
func handler[E, R any](function func(context.Context, E) (R, error)) func(*testing.T, []byte) any {
	return func(t *testing.T, raw []byte) any {
		var event E
		if err := json.Unmarshal(raw, &event); err != nil {
			t.Fatal(err)
		}
		response, err := function(context.Background(), event)
		if err != nil {
			t.Fatalf("error %v: Lambda would retry or the gateway answer with its own frame", err)
		}
		return response
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// functions are the handlers over stubs of the ports.
type functions struct {
	store         *store
	queue         *queue
	kept          *messageLog
	conversations *conversations
	log           *bytes.Buffer
	useCases      lambdaevent.UseCases
	connections   *lambdaevent.ConnectionManager
	unknown       *lambdaevent.DefaultMessage
	send          *lambdaevent.SendMessage
	fanOut        *lambdaevent.FanOut
}

func newFunctions() *functions {
	f := &functions{store: &store{}, queue: &queue{}, kept: newMessageLog(), conversations: newConversations(), log: new(bytes.Buffer)}
	log := slog.New(slog.NewJSONHandler(f.log, nil))
	newID := func(time.Time) domain.MessageID { return "01K4ZQ0000000000000000000A" }
	f.useCases = lambdaevent.UseCases{
		Registry: &session.Registry{
			Connections: f.store, Subscriptions: subscriptions{}, Lifetime: session.DefaultLifetime, MaxRooms: session.DefaultMaxRooms,
			Verify: func(context.Context, string) (domain.Principal, error) {
				return domain.Principal{User: "alice", ExpiresAt: time.Unix(1795338000, 0)}, nil
			},
		},
		Publisher: &publish.Publisher{Jobs: f.queue, Channels: f.queue, Subscriptions: subscriptions{}, NewID: newID, Policy: domain.Policy{BroadcastBy: domain.Anyone}},
		Log:       log,
	}
	f.useCases.Past = &session.History{Registry: f.useCases.Registry, Log: f.kept, Conversations: f.conversations}
	f.connections = &lambdaevent.ConnectionManager{Registry: f.useCases.Registry, Log: log}
	f.unknown = &lambdaevent.DefaultMessage{Log: log}
	f.send = &lambdaevent.SendMessage{Registry: f.useCases.Registry, Publisher: f.useCases.Publisher, Log: log}
	worker := fanout.New(fanout.Ports{
		Connections: f.store, Subscriptions: subscriptions{}, Poster: nobody{}, Parts: f.queue, Retries: f.queue, DeadLetters: f.queue,
	}, log, fanout.Options{})
	f.fanOut = &lambdaevent.FanOut{Worker: worker}
	return f
}

func TestAQueueThatIsDownIsToldWithoutDetails(t *testing.T) {
	f := newFunctions()
	f.queue.err = errors.New("arn:aws:sqs:secret is gone")
	response, err := f.send.Handle(context.Background(), message(`{"content":1,"ref":"r"}`))
	if err != nil || response.StatusCode != 503 || !strings.Contains(response.Body, `"code":"unavailable"`) ||
		strings.Contains(response.Body, "secret") {
		t.Errorf("%d %s, error %v", response.StatusCode, response.Body, err)
	}
	if log := f.log.String(); !strings.Contains(log, "secret") || strings.Count(log, "\n") != 1 {
		t.Errorf("logged: %s", log)
	}
}

// A status other than 2xx on $connect keeps the socket from opening.
func TestAStoreThatIsDownRefusesTheConnection(t *testing.T) {
	f := newFunctions()
	f.store.err = errors.New("no such table")
	for _, eventType := range []string{"CONNECT", "DISCONNECT"} {
		event := message("")
		event.RequestContext.EventType = eventType
		response, err := f.connections.Handle(context.Background(), event)
		if err != nil || response.StatusCode != 503 {
			t.Errorf("%s: %d %s, error %v", eventType, response.StatusCode, response.Body, err)
		}
	}
}

func TestAnAcceptedMessageCanBeFollowedByItsID(t *testing.T) {
	f := newFunctions()
	if _, err := f.send.Handle(context.Background(), message(`{"content":1}`)); err != nil {
		t.Fatal(err)
	}
	event := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: f.queue.bodies[0]}}}
	if response, err := f.fanOut.Handle(context.Background(), event); err != nil || len(response.BatchItemFailures) > 0 {
		t.Fatalf("%+v, error %v", response, err)
	}
	for line := range strings.Lines(f.log.String()) {
		if !strings.Contains(line, "01K4ZQ0000000000000000000A") {
			t.Errorf("no id in %s", line)
		}
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 2 {
		t.Errorf("%d lines, want accepted and fanned out:\n%s", lines, f.log)
	}
}

// A record that names no message fails its whole batch, as Lambda does for an empty id:
// twice is better than never.
func TestOddRecords(t *testing.T) {
	const good = `{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"1"}]}`
	for _, test := range []struct {
		name    string
		records []events.SQSMessage
		failed  []string
	}{
		{"none", nil, nil},
		{"no body", []events.SQSMessage{{MessageId: "a"}, {MessageId: "b", Body: good}}, []string{"a"}},
		{"no id", []events.SQSMessage{{Body: "poison"}, {MessageId: "b", Body: good}}, []string{""}},
		{"no id, but a job", []events.SQSMessage{{Body: good}}, nil},
		{"the same twice", []events.SQSMessage{{MessageId: "a", Body: good}, {MessageId: "a", Body: good}}, nil},
		{"bad ones among good", []events.SQSMessage{
			{MessageId: "a", Body: "poison"}, {MessageId: "b", Body: good}, {MessageId: "c", Body: good + good},
		}, []string{"a", "c"}},
	} {
		response, err := newFunctions().fanOut.Handle(context.Background(), events.SQSEvent{Records: test.records})
		var failed []string
		for _, item := range response.BatchItemFailures {
			failed = append(failed, item.ItemIdentifier)
		}
		if err != nil || response.BatchItemFailures == nil || !slices.Equal(failed, test.failed) {
			t.Errorf("%s: failed %q, error %v; want %q", test.name, failed, err, test.failed)
		}
	}
}

func FuzzFanOutEvent(f *testing.F) {
	for _, name := range []string{"fanout", "connect"} {
		seed, err := os.ReadFile(filepath.Join("testdata", name+".event.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var event events.SQSEvent
		if json.Unmarshal(raw, &event) != nil {
			return
		}
		response, err := newFunctions().fanOut.Handle(context.Background(), event)
		if err != nil || response.BatchItemFailures == nil || len(response.BatchItemFailures) > len(event.Records) {
			t.Fatalf("%+v, error %v", response, err)
		}
	})
}

func message(body string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{
		Body: body,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			EventType: "MESSAGE", ConnectionID: "L0SM9cOFvHcCIhw=", RequestID: "request-1",
		},
	}
}

type queue struct {
	bodies []string
	err    error
}

func (q *queue) Send(_ context.Context, messages ...ports.QueueMessage) error {
	for _, m := range messages {
		if q.err == nil {
			q.bodies = append(q.bodies, m.Body)
		}
	}
	return q.err
}

// store is a table of one connection: the last one that was put, or else one of alice.
type store struct {
	row domain.Connection
	err error
}

func (s *store) Replace(ctx context.Context, c domain.Connection) error { return s.Put(ctx, c) }
func (s *store) Get(_ context.Context, id domain.ConnectionID) (domain.Connection, error) {
	if s.row.ID == id {
		return s.row, s.err
	}
	return domain.Connection{ID: id, User: "alice", RegisteredAt: time.Unix(1795338000, 0), ExpiresAt: time.Unix(4102444799, 0)}, s.err
}

func (s *store) Put(_ context.Context, c domain.Connection) error {
	s.row = c
	return s.err
}
func (s *store) Delete(context.Context, ...domain.ConnectionID) error { return s.err }
func (s *store) Scan(context.Context, domain.Segment, domain.Cursor) (ports.Page, error) {
	return ports.Page{}, s.err
}

// subscriptions is a table in which alice is in every room that she has not left, with
// two connections.
type subscriptions map[domain.Recipients]bool

func (subscriptions) Subscribe(context.Context, domain.Subscription, int) error { return nil }
func (left subscriptions) Unsubscribe(_ context.Context, s domain.Subscription) error {
	left[s.To] = true
	return nil
}
func (left subscriptions) Subscribed(_ context.Context, s domain.Subscription) (bool, error) {
	return !left[s.To], nil
}
func (subscriptions) Clear(context.Context, ...domain.ConnectionID) error { return nil }
func (subscriptions) Extend(context.Context, domain.Connection, ...domain.Recipients) error {
	return nil
}
func (subscriptions) Subscriptions(_ context.Context, id domain.ConnectionID) ([]domain.Subscription, error) {
	c := domain.Connection{ID: id, User: "alice"}
	return []domain.Subscription{{To: domain.ToUser("alice"), Connection: c}, {To: domain.ToRoom("goals"), Connection: c}}, nil
}
func (subscriptions) Subscribers(context.Context, domain.Recipients, domain.Segment, domain.Cursor) (ports.Page, error) {
	return ports.Page{Connections: []domain.Connection{{ID: "a1", User: "alice"}, {ID: "a2", User: "alice"}}}, nil
}

type nobody struct{}

func (nobody) Prepare([]byte) (ports.Post, error) { return nobody{}.Closing(), nil }

func (nobody) Closing() ports.Post {
	return func(context.Context, domain.ConnectionID) error { return ports.ErrGone }
}

// The log contains the reason verbatim, in text format too, and none if there is none.
func TestTheLogSaysWhyAConnectionEnded(t *testing.T) {
	why := "Client does not read"
	for reason, want := range map[*string]string{&why: `reason="Client does not read"`, nil: `reason=""`} {
		var log bytes.Buffer
		f := &lambdaevent.ConnectionManager{
			Registry: newFunctions().connections.Registry, Log: slog.New(slog.NewTextHandler(&log, nil)),
		}
		_, err := f.Handle(t.Context(), events.APIGatewayWebsocketProxyRequest{
			RequestContext: events.APIGatewayWebsocketProxyRequestContext{
				EventType: "DISCONNECT", ConnectionID: "c", DisconnectReason: reason,
			},
		})
		if err != nil || !strings.Contains(log.String(), want) {
			t.Errorf("error %v, log %s", err, log.String())
		}
	}
}
