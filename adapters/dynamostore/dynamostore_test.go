package dynamostore_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

// patience is the time limit of stores in tests that are not about it: long enough that
// even on a busy machine only a hang exceeds it.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(awslocal.M{M: m}) }

func TestConnectionStore(t *testing.T) {
	porttest.TestConnectionStore(t, porttest.StoreHarness{
		NewTable: func(t *testing.T) func(int) ports.ConnectionStore {
			client, table := awslocal.DynamoDB(t), awslocal.CreateTable(t)
			return func(pageSize int) ports.ConnectionStore {
				return dynamostore.New(client, table, dynamostore.Options{PageSize: int32(pageSize), Timeout: patience})
			}
		},
		Shared: true,
	})
}

func TestSubscriptionStore(t *testing.T) {
	porttest.TestSubscriptionStore(t, porttest.SubscriptionHarness{
		NewTable: func(t *testing.T) (ports.ConnectionStore, func(int) ports.SubscriptionStore) {
			client, table, connections := awslocal.DynamoDB(t), awslocal.CreateSubscriptionTable(t), awslocal.CreateTable(t)
			open := func(pageSize int) ports.SubscriptionStore {
				opts := dynamostore.Options{PageSize: int32(pageSize), Timeout: patience}
				return dynamostore.NewSubscriptions(client, table, connections, opts)
			}
			return dynamostore.New(client, connections, dynamostore.Options{Timeout: patience}), open
		},
		Shared: true,
	})
}

// TestRowFormat pins what other readers of the table and its TTL rely on.
func TestRowFormat(t *testing.T) {
	client, table := awslocal.DynamoDB(t), awslocal.CreateTable(t)
	put(t, dynamostore.New(client, table, dynamostore.Options{Timeout: patience}), domain.Connection{
		ID:           "L0SM9cOFvHcCIhw=",
		RegisteredAt: time.UnixMilli(1_700_000_000_123),
		ExpiresAt:    time.UnixMilli(4_000_000_000_001),
	})
	got, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || len(got.Items) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	item := got.Items[0]
	if id, ok := item["connection_id"].(*types.AttributeValueMemberS); !ok || id.Value != "L0SM9cOFvHcCIhw=" {
		t.Errorf("connection_id is %#v", item["connection_id"])
	}
	for name, want := range map[string]string{"registered_at": "1700000000123", "expires_at": "4000000001"} {
		if n, ok := item[name].(*types.AttributeValueMemberN); !ok || n.Value != want {
			t.Errorf("%s is %#v, want the number %s", name, item[name], want)
		}
	}
	if len(item) != 3 {
		t.Errorf("the row has %d attributes, want 3", len(item))
	}
}

// DynamoDB may delete the row of a user's connection only when the connection has ended
// for sure: until then the row is found, expired, and the connection closed.
func TestTheRowOfAUserOutlivesTheToken(t *testing.T) {
	client, table := awslocal.DynamoDB(t), awslocal.CreateTable(t)
	store := dynamostore.New(client, table, dynamostore.Options{Timeout: patience})
	registered := time.Now().Truncate(time.Second)
	c := domain.Connection{ID: "a", User: "alice", RegisteredAt: registered, ExpiresAt: registered.Add(-time.Second)}
	put(t, store, c)
	page, err := store.Scan(t.Context(), domain.Segment{}, "")
	if err != nil || len(page.Connections) > 0 || !slices.Equal(page.Expired, []domain.ConnectionID{"a"}) {
		t.Errorf("%+v, %v", page, err)
	}
	if got, err := store.Get(t.Context(), "a"); err != nil || !got.ExpiresAt.Equal(c.ExpiresAt) {
		t.Errorf("%+v, %v", got, err)
	}
	rows, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || len(rows.Items) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	deletable := rows.Items[0]["expires_at"].(*types.AttributeValueMemberN).Value
	if want := strconv.FormatInt(registered.Add(2*time.Hour+15*time.Minute).Unix(), 10); deletable != want {
		t.Errorf("expires_at is %s, want %s", deletable, want)
	}
}

// put stores live connections with these ids, or the connections as they are.
func put(t *testing.T, store *dynamostore.Store, connections ...domain.Connection) {
	t.Helper()
	for _, c := range connections {
		if err := store.Put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func live(id domain.ConnectionID) domain.Connection {
	return domain.Connection{ID: id, RegisteredAt: time.Now(), ExpiresAt: time.Now().Add(2 * time.Hour)}
}

// scan reads a segment to its end and returns its pages.
func scan(t *testing.T, store *dynamostore.Store, segment domain.Segment) []ports.Page {
	t.Helper()
	var pages []ports.Page
	var from domain.Cursor
	for {
		page, err := store.Scan(t.Context(), segment, from)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
		if from = page.Next; from == "" {
			return pages
		}
	}
}
