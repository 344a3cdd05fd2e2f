package dynamostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// maxSteps is how many rows an Append meets one by one before it looks for the end.
	maxSteps = 5
	// searchLimit and maxSearch bound the search for messages: rows in a query, which may
	// return fewer since it reads at most 1 MB, and queries.
	searchLimit = 100
	maxSearch   = 10
	// clockError is how far apart the clocks of those who accept messages and of those
	// who append them may be.
	clockError = time.Minute
)

// Append puts one row with the messages that it does not find. A warm process needs no
// other request, unless it meets others at the end or is to look back: again, or for what a
// message with Again repeats. A row costs a write unit for each KB, twice that at the begin
// of an epoch.
func (l *MessageLog) Append(ctx context.Context, to domain.Recipients, messages []domain.Message, again bool) ([]ports.Entry, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	a := &addition{log: l, to: to, messages: messages, again: again, entries: make(map[domain.MessageID]ports.Entry, len(messages))}
	if err := a.run(ctx); err != nil {
		return nil, fmt.Errorf("append %d messages to the log of %s: %w", len(messages), to, err)
	}
	entries := make([]ports.Entry, len(messages))
	for i, m := range messages {
		entries[i] = a.entries[m.ID]
	}
	return entries, nil
}

// addition is one Append.
type addition struct {
	log      *MessageLog
	to       domain.Recipients
	messages []domain.Message
	again    bool
	entries  map[domain.MessageID]ports.Entry // of those that are in the log, or repeats
	seen     seen
}

// rest returns the messages that are not known to be in the log.
func (a *addition) rest() (rest []domain.Message) {
	for _, m := range a.messages {
		if _, found := a.entries[m.ID]; !found {
			rest = append(rest, m)
		}
	}
	return rest
}

// adopt takes the entries of the messages that are in the row, and of their repeats.
func (a *addition) adopt(row logRow) {
	at := make(map[domain.MessageID]domain.Position, len(row.messages))
	for i, m := range row.messages {
		at[m.ID] = domain.Position{Epoch: row.Epoch, Seq: row.Seq + int64(i)}
	}
	for _, m := range a.rest() {
		if position, found := at[m.ID]; found {
			a.entries[m.ID] = ports.Entry{Position: position}
		}
	}
	a.compare(row.messages)
}

// compare finds repeats among the rest.
func (a *addition) compare(others []domain.Message) {
	for _, m := range a.rest() {
		if id := m.RepeatOf(others); id != "" {
			a.entries[m.ID] = ports.Entry{RepeatOf: id}
		}
	}
}

// distinct returns the messages without repeats of each other.
func distinct(messages []domain.Message) (some []domain.Message) {
	for _, m := range messages {
		if m.RepeatOf(some) == "" {
			some = append(some, m)
		}
	}
	return some
}

// looksBack reports whether messages can be in the log before its end, or others of which
// they are repeats.
func (a *addition) looksBack() bool {
	return slices.ContainsFunc(a.rest(), func(m domain.Message) bool {
		return a.again || m.Again || m.Ref != "" && oldest(m) < a.seen.since
	})
}

// run goes to the end of the log and puts a row there, until nothing is left to put.
func (a *addition) run(ctx context.Context) error {
	known, ok := a.log.ends.get(a.to, a.log.now())
	if !ok {
		known = seen{since: math.MaxInt64}
	}
	a.seen = known
	a.compare(known.repeats)
	lost, how := !ok, search{limit: 1, queries: 1}
	if a.looksBack() {
		lost, how = true, wholeSearch
	}
	for steps := 1; ; steps++ {
		var err error
		if lost {
			if err = a.search(ctx, how); err != nil {
				return err
			}
		}
		rest := distinct(a.rest())
		if len(rest) == 0 {
			break
		}
		row, err := a.log.put(ctx, a.to, a.seen.logEnd, rest)
		switch {
		case err == nil:
			a.adopt(row)
			a.seen.add(row)
			lost, how = steps%maxSteps == 0 && len(a.rest()) > 0, search{limit: pageRows, queries: maxSearch, downTo: row.End}
		case conditionFailed(err, expiredPart): // it has been deleted
			lost, how = true, wholeSearch
		default:
			return err
		}
	}
	a.log.ends.set(a.to, a.seen)
	return nil
}

// search says which rows are read to find the end of a log and messages before it.
type search struct {
	limit   int32 // rows in a query
	queries int   // at most
	downTo  int64 // the number of a message up to which all has been seen
}

// wholeSearch goes back as far as messages can be.
var wholeSearch = search{limit: searchLimit, queries: maxSearch}

// search goes to the end of the log, and adopts messages in its last row and in those
// before, unless these are too old.
func (a *addition) search(ctx context.Context, how search) error {
	r := newestOf(a.to)
	r.limit, r.queries = how.limit, how.queries
	before := a.seen
	a.seen = seen{}
	for row, err := range a.log.rows(ctx, r) {
		if err != nil {
			return err
		}
		if a.seen.logEnd == (logEnd{}) {
			a.seen.logEnd = row.logEnd
		}
		if row.Seq <= how.downTo {
			a.seen.since, a.seen.repeats = before.since, append(a.seen.repeats, before.repeats...)
			break
		}
		a.seen.before(row)
		if row.expired(a.log.now()) {
			break
		}
		if a.adopt(row); row.At < a.since() || len(a.rest()) == 0 {
			break
		}
	}
	return nil
}

// since returns how far back the rest can be in the log, in milliseconds.
func (a *addition) since() int64 {
	since := int64(math.MaxInt64)
	for _, m := range a.rest() {
		since = min(since, oldest(m))
	}
	return since
}

// oldest returns when a message, or another of which it is a repeat, can have been appended.
func oldest(m domain.Message) int64 {
	accepted := m.SentAt
	if m.Again {
		accepted = accepted.Add(-domain.RepeatWindow)
	}
	return accepted.Add(-clockError).UnixMilli()
}

// put puts the messages after the end of the log, and returns the row that is there now:
// its own, or one that it met, which may be its own as well if an answer was lost.
func (l *MessageLog) put(ctx context.Context, to domain.Recipients, end logEnd, messages []domain.Message) (logRow, error) {
	now := l.now()
	row := newLogRow(to, end, messages, now, l.retention)
	item, err := attributevalue.MarshalMap(row)
	if err != nil {
		return logRow{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	if end != (logEnd{}) && end.expired(now) {
		err = l.putAfterExpired(ctx, logKey(to, end.Seq), end.Epoch, item)
	} else {
		_, err = l.client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &l.name, Item: item, ConditionExpression: aws.String(vacant), ReturnValuesOnConditionCheckFailure: returnOld,
		})
	}
	if err == nil {
		return row, nil
	}
	if met := metBy(err); met != nil {
		return readLogRow(met)
	}
	return logRow{}, err
}

const (
	vacant    = "attribute_not_exists(" + channelAttribute + ")"
	existing  = "#epoch = :epoch"
	returnOld = types.ReturnValuesOnConditionCheckFailureAllOld
)

// expiredPart is the check of the expired row, in the transaction of putAfterExpired.
const expiredPart = 1

// putAfterExpired puts a row if the one with the key exists. In its place can be a row of
// another epoch, if the log has begun anew.
func (l *MessageLog) putAfterExpired(
	ctx context.Context, key map[string]types.AttributeValue, epoch domain.Epoch, item map[string]types.AttributeValue,
) error {
	put := &types.Put{
		TableName: &l.name, Item: item, ConditionExpression: aws.String(vacant), ReturnValuesOnConditionCheckFailure: returnOld,
	}
	expired := &types.ConditionCheck{
		TableName: &l.name, Key: key, ConditionExpression: aws.String(existing),
		ExpressionAttributeNames:  map[string]string{"#epoch": epochAttribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":epoch": text(string(epoch))},
	}
	return transact(ctx, l.table, types.TransactWriteItem{Put: put}, types.TransactWriteItem{ConditionCheck: expired})
}

// metBy returns the row that was in the way of a put, or nil.
func metBy(err error) map[string]types.AttributeValue {
	var failed *types.ConditionalCheckFailedException
	var cancelled *types.TransactionCanceledException
	switch {
	case errors.As(err, &failed):
		return failed.Item
	case errors.As(err, &cancelled) && len(cancelled.CancellationReasons) > 0:
		return cancelled.CancellationReasons[0].Item // the reasons are in the order of what was to be done
	}
	return nil
}

func randomEpoch() domain.Epoch { return domain.Epoch(strings.ToLower(rand.Text()[:8])) }
