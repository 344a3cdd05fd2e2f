package dynamostore_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
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

// failing returns a store of which the nth request of the operation and all later ones
// fail, and one on the same table without faults.
func failing(t *testing.T, operation string, nth int64) (faulty, direct *dynamostore.Subscriptions) {
	t.Helper()
	table, opts := awslocal.CreateSubscriptionTable(t), dynamostore.Options{Timeout: patience, MaxAttempts: 1}
	var seen atomic.Int64
	proxied := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t),
		func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+operation) && seen.Add(1) >= nth {
				awslocal.WriteError(w, http.StatusInternalServerError, "InternalServerError")
				return
			}
			next.ServeHTTP(w, r)
		}))
	return dynamostore.NewSubscriptions(proxied, table, opts), dynamostore.NewSubscriptions(awslocal.DynamoDB(t), table, opts)
}

// What is left after the first of two writes can be found by the connection, and deleted.
func TestBetweenTheTwoWrites(t *testing.T) {
	s := member("alice", "a")
	for operation, call := range map[string]func(*dynamostore.Subscriptions) error{
		"PutItem":    func(store *dynamostore.Subscriptions) error { return store.Subscribe(t.Context(), s) },
		"DeleteItem": func(store *dynamostore.Subscriptions) error { return store.Unsubscribe(t.Context(), s) },
		"BatchWriteItem": func(store *dynamostore.Subscriptions) error {
			return store.Clear(t.Context(), s.Connection.ID)
		},
	} {
		t.Run(operation, func(t *testing.T) {
			faulty, direct := failing(t, operation, 2)
			if operation != "PutItem" {
				if err := direct.Subscribe(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if err := call(faulty); err == nil {
				t.Error("no error")
			}
			if subscribed, err := direct.Subscribed(t.Context(), s); subscribed || err != nil {
				t.Errorf("subscribed: %v, %v", subscribed, err)
			}
			if left, err := direct.Subscriptions(t.Context(), "a"); len(left) != 1 || err != nil {
				t.Errorf("the connection has %+v, %v", left, err)
			}
			if err := direct.Clear(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			if left, err := direct.Subscriptions(t.Context(), "a"); len(left) != 0 || err != nil {
				t.Errorf("after Clear the connection has %+v, %v", left, err)
			}
		})
	}
}

// TestSubscriptionRows pins what other readers of the table and its TTL rely on.
func TestSubscriptionRows(t *testing.T) {
	client, table := awslocal.DynamoDB(t), awslocal.CreateSubscriptionTable(t)
	s := domain.Subscription{To: domain.ToRoom("goals"), Connection: domain.Connection{
		ID: "L0SM9cOFvHcCIhw=", User: "alice", RegisteredAt: time.UnixMilli(1_700_000_000_123), ExpiresAt: time.UnixMilli(4_000_000_000_001),
	}}
	if err := dynamostore.NewSubscriptions(client, table, dynamostore.Options{Timeout: patience}).Subscribe(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	got, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || len(got.Items) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	members := map[string]string{
		"room:goals":                  domain.Place("alice") + "L0SM9cOFvHcCIhw=",
		"connection:L0SM9cOFvHcCIhw=": "room:goals",
	}
	for _, item := range got.Items {
		channel := item["channel"].(*types.AttributeValueMemberS).Value
		if member := item["member"].(*types.AttributeValueMemberS).Value; member != members[channel] {
			t.Errorf("channel %q has the member %q, want %q", channel, member, members[channel])
		}
		if n, ok := item["expires_at"].(*types.AttributeValueMemberN); !ok || n.Value != "4000000001" {
			t.Errorf("expires_at is %#v", item["expires_at"])
		}
	}
}

// A channel is read by queries of its own rows, whatever else the table holds.
func TestAChannelIsNeverScanned(t *testing.T) {
	table := awslocal.CreateSubscriptionTable(t)
	var targets atomic.Pointer[string]
	proxied := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t),
		func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
			if target := r.Header.Get("X-Amz-Target"); !strings.HasSuffix(target, ".PutItem") {
				targets.Store(&target)
			}
			next.ServeHTTP(w, r)
		}))
	store := dynamostore.NewSubscriptions(proxied, table, dynamostore.Options{Timeout: patience})
	if err := store.Subscribe(t.Context(), member("alice", "a")); err != nil {
		t.Fatal(err)
	}
	page, err := store.Subscribers(t.Context(), domain.ToRoom("goals"), domain.Segment{}, "")
	if err != nil || len(page.Connections) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if target := *targets.Load(); !strings.HasSuffix(target, ".Query") {
		t.Errorf("read by %s", target)
	}
}

func TestSubscriptionsOfAServerThatDoesNotAnswer(t *testing.T) {
	client := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t),
		func(_ http.ResponseWriter, r *http.Request, _ string, _ http.Handler) { hang(r) }))
	store := dynamostore.NewSubscriptions(client, "subscriptions", dynamostore.Options{Timeout: 50 * time.Millisecond})
	s := member("alice", "a")
	_, subscribed := store.Subscribed(t.Context(), s)
	_, subscriptions := store.Subscriptions(t.Context(), "a")
	_, subscribers := store.Subscribers(t.Context(), s.To, domain.Segment{}, "")
	for call, err := range map[string]error{
		"Subscribe": store.Subscribe(t.Context(), s), "Unsubscribe": store.Unsubscribe(t.Context(), s),
		"Extend": store.Extend(t.Context(), s.Connection, s.To),
		"Clear":  store.Clear(t.Context(), "a"), "Subscribed": subscribed, "Subscriptions": subscriptions, "Subscribers": subscribers,
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want context.DeadlineExceeded", call, err)
		}
	}
}
