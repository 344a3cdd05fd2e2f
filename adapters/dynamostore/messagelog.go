package dynamostore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/domain"
)

// defaultRetention is how long messages are kept by default.
const defaultRetention = 24 * time.Hour

// LogOptions tune a log or conversations. The zero value of a field means its default.
type LogOptions struct {
	// Options are those of any store. The default of PageSize is 20 rows, and 100 to
	// search for messages.
	Options
	// Retention is how long messages are kept. Default: 24 hours.
	Retention time.Duration
}

// MessageLog is a ports.MessageLog.
//
// The numbers of a channel have no holes because a row is put right after the last one,
// on the condition that none is there. For that, the last row must not be deleted by
// DynamoDB while one is put after it:
//   - A row can be deleted a day after it has expired. So one that has not expired, by
//     clocks that are less than a day apart, stays.
//   - After a row that has expired, one is put in a transaction that checks that the
//     other is still there. It begins an epoch, as does the first of an empty log.
//   - No row expires before the one in front of it. DynamoDB deletes what has expired in
//     any order.
type MessageLog struct {
	table
	retention time.Duration
	tag       string // see domain.NothingSince
	ends      ends   // for those who append
	tails     tails  // for those who read
	now       func() time.Time
}

// NewMessageLog returns a log on the table of logs; see New. If the rows in the table are
// lost, all processes must start anew: they remember where logs end.
func NewMessageLog(client *dynamodb.Client, table string, opts LogOptions) *MessageLog {
	return &MessageLog{
		table:     newTable(client, table, opts.Options),
		retention: cmp.Or(opts.Retention, defaultRetention),
		tag:       tagOf(table),
		tails:     tails{of: make(map[domain.Recipients][]logRow)},
		ends:      ends{of: make(map[domain.Recipients]seen)},
		now:       time.Now,
	}
}

// End reads the newest row with strong consistency.
func (l *MessageLog) End(ctx context.Context, to domain.Recipients) (domain.Position, error) {
	now := l.now() // before the read
	row, found, err := l.newest(ctx, to, now)
	switch {
	case err != nil:
		return domain.Position{}, fmt.Errorf("end of the log of %s: %w", to, err)
	case !found || row.expired(now):
		return domain.NothingSince(now, l.tag), nil
	}
	return domain.Position{Epoch: row.Epoch, Seq: row.End}, nil
}

// newest returns the last row of a log. To find that it is one that is known takes one
// read unit, whatever its size.
func (l *MessageLog) newest(ctx context.Context, to domain.Recipients, now time.Time) (row logRow, found bool, err error) {
	known, ok := l.tails.last(to, now)
	if ok {
		_, more, err := l.first(ctx, reading{to: to, from: known.End + 1})
		if err != nil || !more {
			return known, true, err
		}
	}
	row, found, err = l.first(ctx, newestOf(to))
	if found && !ok {
		l.tails.keep(to, []logRow{row})
	}
	return row, found, err
}

// tagOf returns a hash of a table's name. CloudFormation gives a table that it creates
// anew another name.
func tagOf(table string) string {
	const digits = 7
	sum := sha256.Sum256([]byte(table))
	text := strconv.FormatUint(binary.BigEndian.Uint64(sum[:]), 36)
	return text[max(0, len(text)-digits):]
}
