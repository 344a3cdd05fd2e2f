package dynamostore_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestConversations(t *testing.T) {
	for name, pageSize := range map[string]int32{"default pages": 0, "small pages": 4} {
		t.Run(name, func(t *testing.T) {
			porttest.TestConversations(t, porttest.ConversationsHarness{
				New: func(t *testing.T, retention time.Duration) porttest.ConversationsUnderTest {
					table, c, opts := awslocal.CreateConversationTable(t), &clock{}, logOptions()
					opts.Retention, opts.PageSize = retention, pageSize
					return porttest.ConversationsUnderTest{
						Open: func() ports.Conversations {
							all := dynamostore.NewConversations(awslocal.DynamoDB(t), table, opts)
							all.SetClock(c.now)
							return all
						},
						Pass: c.pass,
					}
				},
			})
		})
	}
}

var ofBob = domain.ConversationOf("alice", "bob")

// toBob returns messages from alice to bob.
func toBob(n int) []domain.Message {
	messages := newMessages(n, time.Now())
	for i := range messages {
		messages[i].To = "bob"
	}
	return messages
}

// conversations is a table, and what was done with it through a proxy.
type conversations struct {
	*testing.T
	name string
	*dynamostore.Conversations

	mu   sync.Mutex
	done []string
}

// newConversations returns conversations whose requests are recorded and pass the fault,
// unless it is nil.
func newConversations(t *testing.T, fault awslocal.Fault) *conversations {
	c := &conversations{T: t, name: awslocal.CreateConversationTable(t)}
	client := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t),
		func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
			c.mu.Lock()
			c.done = append(c.done, operation)
			c.mu.Unlock()
			if fault == nil {
				next.ServeHTTP(w, r)
				return
			}
			fault(w, r, operation, next)
		}))
	opts := logOptions()
	opts.Retention = time.Hour
	c.Conversations = dynamostore.NewConversations(client, c.name, opts)
	return c
}

func (c *conversations) operations() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := strings.Join(c.done, " ")
	c.done = nil
	return all
}

func (c *conversations) rows() []map[string]types.AttributeValue {
	c.Helper()
	out, err := awslocal.DynamoDB(c).Scan(c.Context(), &dynamodb.ScanInput{TableName: &c.name})
	if err != nil {
		c.Fatal(err)
	}
	return out.Items
}

// putRow writes a row as somebody else would.
func (c *conversations) putRow(item map[string]types.AttributeValue) {
	c.Helper()
	if _, err := awslocal.DynamoDB(c).PutItem(c.Context(), &dynamodb.PutItemInput{TableName: &c.name, Item: item}); err != nil {
		c.Fatal(err)
	}
}

// TestTheRowOfAMessage pins what other releases, and TTL, rely on.
func TestTheRowOfAMessage(t *testing.T) {
	c, m := newConversations(t, nil), toBob(1)
	before := time.Now()
	if err := c.Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	rows := c.rows()
	if len(rows) != 1 || len(rows[0]) != 4 {
		t.Fatalf("the rows are %v", rows)
	}
	row := rows[0]
	for name, want := range map[string]string{"conversation": "5:alice,bob", "id": string(m[0].ID)} {
		if s, ok := row[name].(*types.AttributeValueMemberS); !ok || s.Value != want {
			t.Errorf("%s is %v, want %q", name, row[name], want)
		}
	}
	if d := time.Unix(numberIn(row["expires_at"]), 0).Sub(before.Add(time.Hour)); d < 0 || d > patience {
		t.Errorf("it expires at %v", row["expires_at"])
	}
	body := row["message"].(*types.AttributeValueMemberB).Value
	if want := fmt.Sprintf("\x1a%s\x05alice\x03bob\x00%c%s", m[0].ID, len(m[0].Content), m[0].Content); !strings.HasSuffix(string(body), want) {
		t.Errorf("the message is %q", body)
	}
}

// A batch that DynamoDB takes partly is sent on until all of it is stored.
func TestMessagesThatWereNotProcessed(t *testing.T) {
	c, messages := newConversations(t, handBack), toBob(30)
	if err := c.Put(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	got, more, err := c.direct().Before(t.Context(), ofBob, "", 100, 1<<20)
	if err != nil || more || len(got) != 30 {
		t.Errorf("%d messages, more: %v, %v", len(got), more, err)
	}
}

// direct returns the conversations without a proxy.
func (c *conversations) direct() *dynamostore.Conversations {
	return dynamostore.NewConversations(awslocal.DynamoDB(c), c.name, logOptions())
}

// What one message costs, and a page.
func TestRequestsForAConversation(t *testing.T) {
	c := newConversations(t, nil)
	for n, want := range map[int]string{1: "BatchWriteItem", 25: "BatchWriteItem", 26: "BatchWriteItem BatchWriteItem"} {
		if err := c.Put(t.Context(), toBob(n)); err != nil || c.operations() != want {
			t.Errorf("%d messages: %v", n, err)
		}
	}
	for limit, want := range map[int]int{1: 1, 19: 1, 20: 2, 50: 3} {
		if _, _, err := c.Before(t.Context(), ofBob, "", limit, 1<<20); err != nil {
			t.Error(err)
		}
		if got := strings.Count(c.operations(), "Query"); got != want {
			t.Errorf("a page of %d took %d queries, want %d", limit, got, want)
		}
	}
}

// Rows that have expired stay for days. What is older than them is found.
func TestManyExpiredMessages(t *testing.T) {
	c := newConversations(t, nil)
	ahead := &clock{}
	c.SetClock(ahead.now)
	messages := toBob(150)
	if err := c.Put(t.Context(), messages[1:]); err != nil {
		t.Fatal(err)
	}
	ahead.pass(time.Hour + 2*time.Second)
	if err := c.Put(t.Context(), messages[:1]); err != nil {
		t.Fatal(err)
	}
	got, more, err := c.Before(t.Context(), ofBob, "", 10, 1<<20)
	if err != nil || more || len(got) != 1 || got[0].ID != messages[0].ID {
		t.Errorf("%d messages, more: %v, %v", len(got), more, err)
	}
}

// A row that somebody broke is an error, and no panic.
func TestBrokenMessages(t *testing.T) {
	c, m := newConversations(t, nil), toBob(2)
	if err := c.Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	good := c.rows()[1]
	body := good["message"].(*types.AttributeValueMemberB).Value
	other := slices.Clone(body)
	copy(other[bytes.Index(other, []byte("bob")):], "eve")
	binary := func(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
	for name, values := range map[string][]types.AttributeValue{
		"message": {
			nil, number(1), &types.AttributeValueMemberS{Value: string(body)}, binary([]byte{}), binary(body[:1]), binary(body[:len(body)/2]),
			binary(body[:len(body)-1]), binary(append(slices.Clone(body), body[1:]...)), binary([]byte{1, 0x80}), binary(other),
			c.rows()[0]["message"],
		},
		"expires_at": {nil, number(-1), &types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberN{Value: "1e100"}},
	} {
		for i, value := range values {
			broken := maps.Clone(good)
			if broken[name] = value; value == nil {
				delete(broken, name)
			}
			c.putRow(broken)
			if got, _, err := c.Before(t.Context(), ofBob, "", 10, 1<<20); err == nil || !strings.Contains(err.Error(), string(m[1].ID)) {
				t.Errorf("with %s %d: %d messages, %v", name, i, len(got), err)
			}
		}
	}
}

// Who has got a message finds it in the conversation.
func TestConversationsAreStronglyConsistent(t *testing.T) {
	c := newConversations(t, func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		body, _ := io.ReadAll(r.Body)
		if !bytes.Contains(body, []byte(`"ConsistentRead":true`)) {
			t.Errorf("the request is %s", body)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
	if _, _, err := c.Before(t.Context(), ofBob, "", 10, 1<<20); err != nil {
		t.Error(err)
	}
}

// A failure is one of the whole call, which can be made again.
func TestAPutThatFails(t *testing.T) {
	down := true
	c := newConversations(t, func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		if down {
			awslocal.WriteError(w, http.StatusBadRequest, "ValidationException")
			return
		}
		next.ServeHTTP(w, r)
	})
	messages := toBob(3)
	if err := c.Put(t.Context(), messages); err == nil || !strings.Contains(err.Error(), "3 messages") {
		t.Errorf("the error is %v", err)
	}
	if _, _, err := c.Before(t.Context(), ofBob, "", 10, 1<<20); err == nil {
		t.Error("Before: no error")
	}
	down = false
	if err := c.Put(t.Context(), messages); err != nil {
		t.Error(err)
	}
	if got, _, err := c.Before(t.Context(), ofBob, "", 10, 1<<20); len(got) != 3 || err != nil {
		t.Errorf("%d messages, %v", len(got), err)
	}
}

var _ ports.Conversations = (*dynamostore.Conversations)(nil)
