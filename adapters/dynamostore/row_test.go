package dynamostore

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// TestItemsWithoutAKey has items that DynamoDB would not store in such a table. They
// cannot be posted to; the others on their page still count.
func TestItemsWithoutAKey(t *testing.T) {
	var none types.AttributeValue
	items := []map[string]types.AttributeValue{
		{}, nil, {keyAttribute: none}, key(""), key("\xff"), key("a"),
		{keyAttribute: &types.AttributeValueMemberN{Value: "1"}},
		{keyAttribute: &types.AttributeValueMemberB{Value: []byte("b")}},
	}
	page := newPage(items, "", domain.Segment{})
	if len(page.Connections) != 1 || page.Connections[0].ID != "a" || page.Next != "" {
		t.Errorf("got %+v", page)
	}
}

// FuzzReadRow: whatever a row contains, its connection can be written into a job.
func FuzzReadRow(f *testing.F) {
	f.Add("L0SM9cOFvHcCIhw=", "1795338000123", "1795345200")
	f.Add("", "-1", "1e30")
	f.Add("a", "9223372036854775807", "-9223372036854775808")
	f.Fuzz(func(t *testing.T, id, registered, expires string) {
		c := readRow(map[string]types.AttributeValue{
			keyAttribute:          &types.AttributeValueMemberS{Value: id},
			registrationAttribute: &types.AttributeValueMemberN{Value: registered},
			expiryAttribute:       &types.AttributeValueMemberN{Value: expires},
		}).connection()
		if at := c.RegisteredAt; !domain.Plausible(at) && !at.Equal(time.UnixMilli(0)) {
			t.Errorf("registered %q became %v", registered, at)
		}
		if string(c.ID) != id {
			t.Errorf("%q became %q", id, c.ID)
		}
	})
}
