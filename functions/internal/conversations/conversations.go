// Package conversations opens the conversations of a stage for the functions that use them.
package conversations

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/ports"
)

// Open returns the conversations in the table that the environment names in
// CONVERSATIONS_TABLE. It keeps messages for HISTORY_DAYS; if that is 0, there are none, and
// Open returns nil.
func Open(env *boot.Env, client *dynamodb.Client) ports.Conversations {
	retention := env.Days("HISTORY_DAYS")
	if retention == 0 {
		return nil
	}
	return dynamostore.NewConversations(client, env.Required("CONVERSATIONS_TABLE"), dynamostore.LogOptions{Retention: retention})
}
