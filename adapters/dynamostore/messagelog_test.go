package dynamostore_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

// clock is a time that passes as it is told.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }
func logOptions() dynamostore.LogOptions {
	return dynamostore.LogOptions{Options: dynamostore.Options{Timeout: patience}}
}

// openLog returns a log on the table, as in a new process.
func openLog(t *testing.T, table string, c *clock, opts dynamostore.LogOptions) *dynamostore.MessageLog {
	log := dynamostore.NewMessageLog(awslocal.DynamoDB(t), table, opts)
	log.SetClock(c.now)
	return log
}

func TestMessageLog(t *testing.T) {
	for name, pageSize := range map[string]int32{"default pages": 0, "small pages": 4} {
		t.Run(name, func(t *testing.T) {
			porttest.TestMessageLog(t, porttest.LogHarness{
				NewLog: func(t *testing.T, retention time.Duration) porttest.LogUnderTest {
					table, c, opts := awslocal.CreateLogTable(t), &clock{}, logOptions()
					opts.Retention, opts.PageSize = retention, pageSize
					return porttest.LogUnderTest{
						Open: func() ports.MessageLog { return openLog(t, table, c, opts) },
						Pass: c.pass,
					}
				},
			})
		})
	}
}

var madeMessages atomic.Int64

// newMessages returns messages that were accepted at a time.
func newMessages(n int, at time.Time) (messages []domain.Message) {
	for range n {
		id := madeMessages.Add(1)
		messages = append(messages, domain.Message{
			ID: domain.MessageID(fmt.Sprintf("01J%023d", id)), SentAt: at.UTC().Truncate(time.Millisecond),
			Sender: "alice", Content: domain.Content(fmt.Sprintf(`"%s %d"`, strings.Repeat("x", 10), id)),
		})
	}
	return messages
}
