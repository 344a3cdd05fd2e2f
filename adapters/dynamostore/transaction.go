package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"
)

// transact writes all parts or none. It tries again, until its time is over, while it
// meets other requests at a row: each client's requests can, and how many are under way
// together is up to the client. It is no method for the reason that query has.
func transact(ctx context.Context, t table, parts ...types.TransactWriteItem) error {
	return untilItPasses(ctx, t, func(ctx context.Context) error {
		_, err := t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: parts})
		return err
	})
}

// readAlone reads an item, empty if there is none, when no transaction is under way that
// writes it. A plain read, however consistent, can return what the item was before such a
// transaction, when other items show it already.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
func readAlone(ctx context.Context, t table, key map[string]types.AttributeValue) (item map[string]types.AttributeValue, err error) {
	get := types.TransactGetItem{Get: &types.Get{TableName: &t.name, Key: key}}
	err = untilItPasses(ctx, t, func(ctx context.Context) error {
		out, err := t.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get}})
		if err == nil && len(out.Responses) > 0 {
			item = out.Responses[0].Item
		}
		return err
	})
	return item, err
}

// untilItPasses tries a transaction until no other is in the way, within the store's time
// limit.
func untilItPasses(ctx context.Context, t table, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := try(ctx)
		if err == nil || !passes(err) {
			return err
		}
		if waited := smithytime.SleepWithContext(ctx, t.retries.Backoff(attempt)); waited != nil {
			return fmt.Errorf("%w after %d attempts: %w", waited, attempt, err)
		}
	}
}

// Why a part makes DynamoDB cancel a transaction.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const failedCondition = "ConditionalCheckFailed"

var passingReasons = []string{"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

// passes reports whether a transaction was cancelled for reasons that pass.
func passes(err error) bool {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false
	}
	return !slices.ContainsFunc(cancelled.CancellationReasons, func(r types.CancellationReason) bool {
		return !slices.Contains(passingReasons, aws.ToString(r.Code))
	})
}

// conditionFailed reports whether a transaction was cancelled because the condition of a
// part did not hold.
func conditionFailed(err error, part int) bool {
	var cancelled *types.TransactionCanceledException
	return errors.As(err, &cancelled) && part < len(cancelled.CancellationReasons) &&
		aws.ToString(cancelled.CancellationReasons[part].Code) == failedCondition
}
