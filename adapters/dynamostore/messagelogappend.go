package dynamostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
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
// other request, unless it meets others at the end. A row costs a write unit for each KB,
// twice that at the begin of an epoch.
func (l *MessageLog) Append(ctx context.Context, to domain.Recipients, messages []domain.Message, again bool) ([]domain.Position, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	a := &addition{log: l, to: to, messages: messages, positions: make(map[domain.MessageID]domain.Position, len(messages))}
	if err := a.run(ctx, again); err != nil {
		return nil, fmt.Errorf("append %d messages to the log of %s: %w", len(messages), to, err)
	}
	positions := make([]domain.Position, len(messages))
	for i, m := range messages {
		positions[i] = a.positions[m.ID]
	}
	return positions, nil
}

// addition is one Append.
type addition struct {
	log       *MessageLog
	to        domain.Recipients
	messages  []domain.Message
	positions map[domain.MessageID]domain.Position // of those that are in the log
}

// rest returns the messages that are not known to be in the log.
func (a *addition) rest() (rest []domain.Message) {
	for _, m := range a.messages {
		if _, found := a.positions[m.ID]; !found {
			rest = append(rest, m)
		}
	}
	return rest
}

// adopt takes the positions of the messages that are in the row.
func (a *addition) adopt(row logRow) {
	at := make(map[domain.MessageID]domain.Position, len(row.messages))
	for i, m := range row.messages {
		at[m.ID] = domain.Position{Epoch: row.Epoch, Seq: row.Seq + int64(i)}
	}
	for _, m := range a.rest() {
		if position, found := at[m.ID]; found {
			a.positions[m.ID] = position
		}
	}
}

// run goes to the end of the log and puts a row there, until nothing is left to put.
func (a *addition) run(ctx context.Context, again bool) error {
	end, known := a.log.ends.get(a.to, a.log.now())
	lost := !known || again
	how := search{limit: 1, queries: 1}
	if again {
		how = wholeSearch
	}
	for steps := 1; ; steps++ {
		var err error
		if lost {
			if end, err = a.search(ctx, how); err != nil {
				return err
			}
		}
		rest := a.rest()
		if len(rest) == 0 {
			break
		}
		row, err := a.log.put(ctx, a.to, end, rest)
		switch {
		case err == nil:
			a.adopt(row)
			end = row.logEnd
			lost, how = steps%maxSteps == 0 && len(a.rest()) > 0, search{limit: pageRows, queries: maxSearch, downTo: end.End}
		case conditionFailed(err, expiredPart): // it has been deleted
			lost, how = true, wholeSearch
		default:
			return err
		}
	}
	a.log.ends.set(a.to, end)
	return nil
}

// search says which rows are read to find the end of a log and messages before it.
type search struct {
	limit   int32 // rows in a query
	queries int   // at most
	downTo  int64 // the number of a message that is not looked for
}

// wholeSearch goes back to when the messages were accepted.
var wholeSearch = search{limit: searchLimit, queries: maxSearch}

// search returns the end of the log, and adopts messages in its last row and in those
// before, unless they were appended before the messages were accepted.
func (a *addition) search(ctx context.Context, how search) (end logEnd, err error) {
	r := newestOf(a.to)
	r.limit, r.queries = how.limit, how.queries
	since := a.acceptedSince().Add(-clockError).UnixMilli()
	for row, err := range a.log.rows(ctx, r) {
		if err != nil {
			return logEnd{}, err
		}
		if end == (logEnd{}) {
			end = row.logEnd
		}
		if row.expired(a.log.now()) {
			break
		}
		if a.adopt(row); row.At < since || row.Seq <= how.downTo || len(a.rest()) == 0 {
			break
		}
	}
	return end, nil
}

// acceptedSince returns when the first of the messages was accepted.
func (a *addition) acceptedSince() time.Time {
	since := a.messages[0].SentAt
	for _, m := range a.messages {
		if m.SentAt.Before(since) {
			since = m.SentAt
		}
	}
	return since
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
