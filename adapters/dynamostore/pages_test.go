package dynamostore_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
)

// TestScanAboveOnePage scans a table of 1.5 MB, whole and in segments, with
// pages that end where DynamoDB ends them.
func TestScanAboveOnePage(t *testing.T) {
	const rows = 1500
	client, table := awslocal.DynamoDB(t), awslocal.CreateTable(t)
	fill(t, client, table, rows, 1000)
	store := dynamostore.New(client, table, dynamostore.Options{Timeout: patience})
	for _, segments := range []int{1, 4} {
		found, pages := map[domain.ConnectionID]int{}, 0
		for i := range segments {
			for _, page := range scan(t, store, domain.Segment{Index: i, Total: segments}) {
				pages++
				for _, c := range page.Connections {
					found[c.ID]++
				}
			}
		}
		if len(found) != rows {
			t.Errorf("%d segments: found %d of %d connections", segments, len(found), rows)
		}
		repeated := 0
		for _, times := range found {
			repeated += times - 1
		}
		if repeated > 0 {
			t.Errorf("%d segments: %d connections were found again", segments, repeated)
		}
		if pages < 2 {
			t.Errorf("%d segments: the table fitted into %d page", segments, pages)
		}
	}
}

// fill writes live connections with ids of the given length in bytes.
func fill(t *testing.T, client *dynamodb.Client, table string, rows, idSize int) {
	t.Helper()
	expiry := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	var batch []types.WriteRequest
	for i := range rows {
		id := fmt.Sprintf("%-*d", idSize, i)
		batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{
			Item: map[string]types.AttributeValue{
				"connection_id": &types.AttributeValueMemberS{Value: strings.ReplaceAll(id, " ", "=")},
				"registered_at": &types.AttributeValueMemberN{Value: "1"},
				"expires_at":    &types.AttributeValueMemberN{Value: expiry},
			},
		}})
		if len(batch) < 25 && i < rows-1 {
			continue
		}
		out, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table: batch},
		})
		if err != nil || len(out.UnprocessedItems) > 0 {
			t.Fatalf("fill the table: %+v, %v", out, err)
		}
		batch = nil
	}
}

// TestSpoiltRow adds a row of which little but the key is readable. The scan finds it
// too, and it counts as old.
func TestSpoiltRow(t *testing.T) {
	expiry := &types.AttributeValueMemberN{Value: fmt.Sprint(time.Now().Add(time.Hour).Unix())}
	for name, spoilt := range map[string]map[string]types.AttributeValue{
		"no registration":            {"expires_at": expiry},
		"text for a number":          {"expires_at": expiry, "registered_at": &types.AttributeValueMemberS{Value: "now"}},
		"not a whole number":         {"expires_at": expiry, "registered_at": &types.AttributeValueMemberN{Value: "1.5"}},
		"registration beyond an int": {"expires_at": expiry, "registered_at": &types.AttributeValueMemberN{Value: "1e30"}},
		"registered in seconds":      {"expires_at": expiry, "registered_at": number(time.Now().Unix())},
		"registered in microseconds": {"expires_at": expiry, "registered_at": number(time.Now().UnixMicro())},
		"registered in nanoseconds":  {"expires_at": expiry, "registered_at": number(time.Now().UnixNano())},
		"registered before 1970":     {"expires_at": expiry, "registered_at": number(-1)},
		"null":                       {"expires_at": expiry, "registered_at": &types.AttributeValueMemberNULL{Value: true}},
		"a set of numbers":           {"expires_at": expiry, "registered_at": &types.AttributeValueMemberNS{Value: []string{"1", "2"}}},
		"expiry in milliseconds":     {"expires_at": number(time.Now().Add(time.Hour).UnixMilli())},
		"no expiry":                  {},
		"text for the expiry":        {"expires_at": &types.AttributeValueMemberS{Value: "never"}},
		"expiry beyond an int":       {"expires_at": &types.AttributeValueMemberN{Value: "1e30"}},
		"another attribute":          {"expires_at": expiry, "extra": &types.AttributeValueMemberBOOL{Value: true}},
	} {
		t.Run(name, func(t *testing.T) {
			client, table := awslocal.DynamoDB(t), awslocal.CreateTable(t)
			store := dynamostore.New(client, table, dynamostore.Options{Timeout: patience})
			put(t, store, live("intact"))
			spoilt["connection_id"] = &types.AttributeValueMemberS{Value: "spoilt"}
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: spoilt}); err != nil {
				t.Fatal(err)
			}
			found := map[domain.ConnectionID]domain.Connection{}
			for _, c := range scan(t, store, domain.Segment{})[0].Connections {
				found[c.ID] = c
			}
			old, ok := found["spoilt"]
			if len(found) != 2 || !ok || old.Target().Fresh(time.Now(), 24*time.Hour) || !old.RegisteredAt.Equal(time.UnixMilli(0)) {
				t.Errorf("found %+v", found)
			}
		})
	}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// TestRowsUnderOddKeys has keys that no gateway creates beside an intact one. The scan
// finds them unchanged: the gateway's answer decides what happens to them.
func TestRowsUnderOddKeys(t *testing.T) {
	store := dynamostore.New(awslocal.DynamoDB(t), awslocal.CreateTable(t), dynamostore.Options{})
	odd := []domain.ConnectionID{"intact", " ", `"},{"`, "a\nb", "\x00", "..", "연결", "\uffff", domain.ConnectionID(strings.Repeat("x", 2048))}
	for _, id := range odd {
		put(t, store, live(id))
	}
	found := map[domain.ConnectionID]bool{}
	for _, c := range scan(t, store, domain.Segment{})[0].Connections {
		found[c.ID] = true
	}
	for _, id := range odd {
		if !found[id] {
			t.Errorf("%.20q is not found", id)
		}
	}
	if err := store.Delete(t.Context(), odd...); err != nil {
		t.Error(err)
	}
	if left := scan(t, store, domain.Segment{})[0].Connections; len(left) > 0 {
		t.Errorf("%d rows are left: %.100v", len(left), left)
	}
}

// TestEmptyPagesHaveANextCursor shows that the empty pages the suite allows for do occur.
func TestEmptyPagesHaveANextCursor(t *testing.T) {
	store := dynamostore.New(awslocal.DynamoDB(t), awslocal.CreateTable(t), dynamostore.Options{PageSize: 1, Timeout: patience})
	for i := range 5 {
		stale := live(domain.ConnectionID(fmt.Sprint("stale-", i)))
		stale.ExpiresAt = time.Now().Add(-time.Second)
		put(t, store, stale)
	}
	put(t, store, live("live"))
	pages, found, empty := scan(t, store, domain.Segment{}), 0, 0
	for _, page := range pages {
		found += len(page.Connections)
		if len(page.Connections) == 0 && page.Next != "" {
			empty++
		}
	}
	if found != 1 || empty < 4 {
		t.Errorf("found %d connections, want 1; %d of %d pages were empty with a next cursor",
			found, empty, len(pages))
	}
}
