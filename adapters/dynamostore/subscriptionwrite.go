package dynamostore

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// checkToken is the condition that the connection's row is stored with the same token. It
// compares what Get reads: to write that again could round it differently.
func (s *Subscriptions) checkToken(c domain.Connection) (*types.ConditionCheck, error) {
	claim, hasScope := c.Scope.Claim()
	expr, err := expression.NewBuilder().WithCondition(
		isText(userAttribute, c.User, c.User != "").
			And(isText(scopeAttribute, claim, hasScope)).
			And(expiresAt(roundedUp(c.ExpiresAt)))).Build()
	if err != nil {
		return nil, err
	}
	return &types.ConditionCheck{
		TableName: &s.connections, Key: key(string(c.ID)), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}, nil
}

// isText is the condition that a row has the text, or no such attribute.
func isText(attribute, text string, there bool) expression.ConditionBuilder {
	if !there {
		return expression.Name(attribute).AttributeNotExists()
	}
	return expression.Name(attribute).Equal(expression.Value(text))
}

// expiresAt is the condition that there is a row whose token expires then.
func expiresAt(seconds int64) expression.ConditionBuilder {
	valid, expires := expression.Name(validityAttribute), expression.Name(expiryAttribute)
	return valid.Equal(expression.Value(seconds)).
		Or(valid.AttributeNotExists().And(expires.Equal(expression.Value(seconds))))
}

// isStored is the condition that a row exists.
var isStored = expression.Name(channelAttribute).AttributeExists()

// addChannel adds to the row with the connection, unless that has most rooms already.
func (s *Subscriptions) addChannel(sub domain.Subscription, most int) (*types.Update, error) {
	update := describe(sub.Connection).Add(expression.Name(listAttribute), setOf(sub.To))
	list, own := expression.Name(listAttribute), domain.ToUser(sub.Connection.User)
	may := list.AttributeNotExists().
		Or(list.Contains(sub.To.String())).
		Or(list.Size().LessThan(expression.Value(most))).
		Or(list.Contains(own.String()).And(list.Size().LessThanEqual(expression.Value(most))))
	if sub.To.Kind == domain.User {
		may = expression.ConditionBuilder{}
	}
	return s.updateConnection(update, sub.Connection.ID, may)
}

// describe sets what the row with a connection says of it. That row, like the connection's
// own, outlives the token, and so those with the channels.
func describe(c domain.Connection) (update expression.UpdateBuilder) {
	r := newConnectionRow(c)
	update = expression.Set(expression.Name(keyAttribute), expression.Value(r.ID)).
		Set(expression.Name(registrationAttribute), expression.Value(r.RegisteredAt)).
		Set(expression.Name(expiryAttribute), expression.Value(r.ExpiresAt)).
		Set(expression.Name(userAttribute), expression.Value(r.User))
	if r.ValidUntil == nil {
		return update.Remove(expression.Name(validityAttribute))
	}
	return update.Set(expression.Name(validityAttribute), expression.Value(*r.ValidUntil))
}

// setOf is a set of one.
func setOf(to domain.Recipients) expression.ValueBuilder {
	return expression.Value(&types.AttributeValueMemberSS{Value: []string{to.String()}})
}

// updateConnection changes the row with a connection, on a condition unless that is empty.
func (s *Subscriptions) updateConnection(
	update expression.UpdateBuilder, id domain.ConnectionID, condition expression.ConditionBuilder,
) (*types.Update, error) {
	builder := expression.NewBuilder().WithUpdate(update)
	if condition.IsSet() {
		builder = builder.WithCondition(condition)
	}
	expr, err := builder.Build()
	if err != nil {
		return nil, err
	}
	return &types.Update{
		TableName: &s.name, Key: keyOfConnection(id).attributes(),
		UpdateExpression: expr.Update(), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}, nil
}
