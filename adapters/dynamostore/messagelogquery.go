package dynamostore

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// reading says which rows of a log are read, and how.
type reading struct {
	to        domain.Recipients
	from      int64 // the first number that a row may begin with; or the last, backwards
	backwards bool
	limit     int32 // rows in a query; in the first ones fewer, as rows can be large
	queries   int   // at most; 0 for no limit
}

// firstRows is how many rows the first query of a reading reads.
const firstRows = 3

// newestOf reads a log from the end back.
func newestOf(to domain.Recipients) reading {
	return reading{to: to, from: domain.MaxSeq, backwards: true}
}

// rows reads with strong consistency. It ends after an error.
func (l *MessageLog) rows(ctx context.Context, r reading) iter.Seq2[logRow, error] {
	return func(yield func(logRow, error) bool) {
		var last map[string]types.AttributeValue
		for n := 0; n == 0 || last != nil && (r.queries == 0 || n < r.queries); n++ {
			out, err := l.query(ctx, r, min(r.limit, firstRows<<min(2*n, 16)), last)
			if err != nil {
				yield(logRow{}, err)
				return
			}
			for _, item := range out.Items {
				if row, err := readLogRow(item); !yield(row, err) || err != nil {
					return
				}
			}
			last = out.LastEvaluatedKey
		}
	}
}

// query reads a page, after the key of a row unless that is nil.
func (l *MessageLog) query(ctx context.Context, r reading, limit int32, after map[string]types.AttributeValue) (*dynamodb.QueryOutput, error) {
	seq := expression.Key(seqAttribute).GreaterThanEqual(expression.Value(r.from))
	if r.backwards {
		seq = expression.Key(seqAttribute).LessThanEqual(expression.Value(r.from))
	}
	keys := expression.Key(channelAttribute).Equal(expression.Value(r.to.String())).And(seq)
	expr, err := expression.NewBuilder().WithKeyCondition(keys).Build()
	if err != nil {
		return nil, err
	}
	if size := l.opts.PageSize; size > 0 {
		limit = min(limit, size)
	}
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	return l.client.Query(ctx, &dynamodb.QueryInput{
		TableName: &l.name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:   expr.KeyCondition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		ScanIndexForward: aws.Bool(!r.backwards), Limit: &limit, ExclusiveStartKey: after,
	})
}

// first returns the first row of a reading, if there is one.
func (l *MessageLog) first(ctx context.Context, r reading) (row logRow, found bool, err error) {
	r.limit, r.queries = 1, 1
	for row, err = range l.rows(ctx, r) {
		found = err == nil
	}
	return row, found, err
}
