package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
)

// member returns a live subscription to a room.
func member(user string, id domain.ConnectionID) domain.Subscription {
	c := live(id)
	c.User = user
	return domain.Subscription{To: domain.ToRoom("goals"), Connection: c}
}

// tables are a table of connections and one of subscriptions.
type tables struct {
	*testing.T
	connections, subscriptions string
}

func newTables(t *testing.T) tables {
	return tables{t, awslocal.CreateTable(t), awslocal.CreateSubscriptionTable(t)}
}

// open returns a store that reaches the tables through a fault, unless that is nil.
func (w tables) open(fault awslocal.Fault) *dynamostore.Subscriptions {
	w.Helper()
	endpoint := awslocal.DynamoDBEndpoint(w)
	if fault != nil {
		endpoint = awslocal.Proxy(w, endpoint, fault)
	}
	opts := dynamostore.Options{Timeout: patience, MaxAttempts: 1}
	return dynamostore.NewSubscriptions(awslocal.DynamoDBAt(endpoint), w.subscriptions, w.connections, opts)
}

// join registers the connection and subscribes it.
func (w tables) join(s domain.Subscription) {
	w.Helper()
	put(w.T, dynamostore.New(awslocal.DynamoDB(w), w.connections, dynamostore.Options{Timeout: patience}), s.Connection)
	if err := w.open(nil).Subscribe(w.Context(), s, most); err != nil {
		w.Fatal(err)
	}
}

const most = 10

// on returns a fault that meets requests of one operation.
func on(operation string, fault awslocal.Fault) awslocal.Fault {
	return func(w http.ResponseWriter, r *http.Request, called string, next http.Handler) {
		if called != operation {
			next.ServeHTTP(w, r)
			return
		}
		fault(w, r, called, next)
	}
}

// refuse fails before a request has an effect, and lose after.
func refuse(w http.ResponseWriter, _ *http.Request, _ string, _ http.Handler) {
	awslocal.WriteError(w, http.StatusInternalServerError, "InternalServerError")
}

func lose(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
	next.ServeHTTP(discard{http.Header{}}, r)
	refuse(w, r, operation, next)
}

// A transaction that fails has had all its effects or none.
func TestATransactionThatFails(t *testing.T) {
	w, s := newTables(t), member("alice", "a")
	direct := w.open(nil)
	for _, test := range []struct {
		call  string
		fault awslocal.Fault
		in    bool
	}{
		{"Subscribe", refuse, false}, {"Subscribe", lose, true}, {"Unsubscribe", refuse, true}, {"Unsubscribe", lose, false},
	} {
		w.join(s)
		faulty := w.open(on("TransactWriteItems", test.fault))
		call := faulty.Unsubscribe
		if test.call == "Subscribe" {
			if err := direct.Unsubscribe(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			call = func(ctx context.Context, s domain.Subscription) error { return faulty.Subscribe(ctx, s, most) }
		}
		if err := call(t.Context(), s); err == nil {
			t.Errorf("%s: no error", test.call)
		}
		in, err := direct.Subscribed(t.Context(), s)
		of, ofErr := direct.Subscriptions(t.Context(), "a")
		if in != test.in || (len(of) == 1) != test.in || errors.Join(err, ofErr) != nil {
			t.Errorf("%s: the channel has it: %v, %v, and the connection %+v, %v; want %v",
				test.call, in, err, of, ofErr, test.in)
		}
	}
}

// A Clear that fails halfway leaves what Subscriptions still returns.
func TestAClearThatFailsHalfway(t *testing.T) {
	w, s := newTables(t), member("alice", "a")
	w.join(s)
	var seen atomic.Int64
	second := func(rw http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		if seen.Add(1) == 1 {
			next.ServeHTTP(rw, r)
			return
		}
		refuse(rw, r, operation, next)
	}
	faulty, direct := w.open(on("BatchWriteItem", second)), w.open(nil)
	if err := faulty.Clear(t.Context(), "a"); err == nil {
		t.Error("no error")
	}
	if in, err := direct.Subscribed(t.Context(), s); in || err != nil {
		t.Errorf("subscribed: %v, %v", in, err)
	}
	if left, err := direct.Subscriptions(t.Context(), "a"); len(left) != 1 || err != nil {
		t.Errorf("the connection has %+v, %v", left, err)
	}
	if err := direct.Clear(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	w.holds(0)
}

// holds checks how many rows there are.
func (w tables) holds(rows int) []map[string]types.AttributeValue {
	w.Helper()
	got, err := awslocal.DynamoDB(w).Scan(w.Context(), &dynamodb.ScanInput{TableName: &w.subscriptions})
	if err != nil || len(got.Items) != rows {
		w.Fatalf("%d rows, want %d: %+v, %v", len(got.Items), rows, got.Items, err)
	}
	return got.Items
}

// After the last room is left the connection's row has no set, and Clear deletes it. To
// leave a room without such a row writes none.
func TestARowWithoutChannels(t *testing.T) {
	w, s := newTables(t), member("alice", "a")
	store := w.open(nil)
	for _, call := range []func() error{
		func() error { return store.Unsubscribe(t.Context(), s) },
		func() error { return store.Extend(t.Context(), s.Connection, s.To) },
	} {
		if err := call(); err != nil {
			t.Fatal(err)
		}
		w.holds(0)
	}
	w.join(s)
	if err := store.Unsubscribe(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if item := w.holds(1)[0]; item["channels"] != nil {
		t.Errorf("the row has %+v", item["channels"])
	}
	if err := store.Clear(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	w.holds(0)
}

// TestSubscriptionRows pins what other readers of the table and its TTL rely on. The row
// with the connection outlives the token, so that no row with a channel is left alone.
func TestSubscriptionRows(t *testing.T) {
	w, registered := newTables(t), time.Now().Truncate(time.Second)
	s := domain.Subscription{To: domain.ToRoom("goals"), Connection: domain.Connection{
		ID: "L0SM9cOFvHcCIhw=", User: "alice", Scope: domain.NewScope("room:goals"),
		RegisteredAt: registered.Add(123 * time.Millisecond), ExpiresAt: registered.Add(time.Hour - time.Millisecond),
	}}
	w.join(s)
	s.To = domain.ToUser("alice")
	w.join(s)
	token := fmt.Sprint(registered.Add(time.Hour).Unix())
	end := fmt.Sprint(registered.Add(2*time.Hour + 15*time.Minute + time.Second).Unix())
	at, place := fmt.Sprint(s.Connection.RegisteredAt.UnixMilli()), domain.Place("alice")+"L0SM9cOFvHcCIhw="
	rows := map[string]map[string]string{
		"room:goals": {"member": place, "expires_at": token, "scope": "room:goals"},
		"user:alice": {"member": place, "expires_at": token, "scope": "room:goals"},
		"connection:L0SM9cOFvHcCIhw=": {
			"member": "channels", "expires_at": end, "valid_until": token, "channels": "[room:goals user:alice]",
		},
	}
	for _, item := range w.holds(3) {
		got := map[string]string{}
		for name, value := range item {
			switch value := value.(type) {
			case *types.AttributeValueMemberS:
				got[name] = value.Value
			case *types.AttributeValueMemberN:
				got[name] = value.Value
			case *types.AttributeValueMemberSS:
				got[name] = fmt.Sprint(slices.Sorted(slices.Values(value.Value)))
			}
		}
		want := rows[got["channel"]]
		want["channel"], want["connection_id"] = got["channel"], "L0SM9cOFvHcCIhw="
		want["user"], want["registered_at"] = "alice", at
		if !maps.Equal(got, want) {
			t.Errorf("the row is\n%v, want\n%v", got, want)
		}
	}
}

// What Get returns passes for the row that it was read from, however times were rounded:
// here, the token ends in the second in which the row does.
func TestATokenThatEndsWithTheRow(t *testing.T) {
	w, s := newTables(t), member("alice", "a")
	s.Connection.RegisteredAt = time.Now().Truncate(time.Second).Add(900 * time.Microsecond)
	s.Connection.ExpiresAt = s.Connection.RegisteredAt.Add(2*time.Hour + 15*time.Minute - 500*time.Microsecond)
	w.join(s)
	connections := dynamostore.New(awslocal.DynamoDB(t), w.connections, dynamostore.Options{Timeout: patience})
	stored, err := connections.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	s.Connection = stored
	if err := w.open(nil).Subscribe(t.Context(), s, most); err != nil {
		t.Error(err)
	}
}

// A channel is read by queries of its own rows, whatever else the table holds.
func TestAChannelIsNeverScanned(t *testing.T) {
	w := newTables(t)
	var targets atomic.Pointer[string]
	store := w.open(func(rw http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		targets.Store(&operation)
		next.ServeHTTP(rw, r)
	})
	w.join(member("alice", "a"))
	page, err := store.Subscribers(t.Context(), domain.ToRoom("goals"), domain.Segment{}, "")
	if err != nil || len(page.Connections) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if target := *targets.Load(); target != "Query" {
		t.Errorf("read by %s", target)
	}
}

func TestSubscriptionsOfAServerThatDoesNotAnswer(t *testing.T) {
	client := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t),
		func(_ http.ResponseWriter, r *http.Request, _ string, _ http.Handler) { hang(r) }))
	opts := dynamostore.Options{Timeout: 50 * time.Millisecond}
	store := dynamostore.NewSubscriptions(client, "subscriptions", "connections", opts)
	s := member("alice", "a")
	_, subscribed := store.Subscribed(t.Context(), s)
	_, subscriptions := store.Subscriptions(t.Context(), "a")
	_, subscribers := store.Subscribers(t.Context(), s.To, domain.Segment{}, "")
	for call, err := range map[string]error{
		"Subscribe": store.Subscribe(t.Context(), s, most), "Unsubscribe": store.Unsubscribe(t.Context(), s),
		"Extend": store.Extend(t.Context(), s.Connection, s.To),
		"Clear":  store.Clear(t.Context(), "a"), "Subscribed": subscribed, "Subscriptions": subscriptions, "Subscribers": subscribers,
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want context.DeadlineExceeded", call, err)
		}
	}
}
