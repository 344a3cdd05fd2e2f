// Package tables opens the DynamoDB tables of a stage for the functions that use them.
package tables

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/functions/internal/boot"
)

// Open returns stores on the tables that the environment names in CONNECTIONS_TABLE and
// SUBSCRIPTIONS_TABLE.
func Open(env *boot.Env, client *dynamodb.Client) (*dynamostore.Store, *dynamostore.Subscriptions) {
	connections := env.Required("CONNECTIONS_TABLE")
	return dynamostore.New(client, connections, dynamostore.Options{}),
		dynamostore.NewSubscriptions(client, env.Required("SUBSCRIPTIONS_TABLE"), connections, dynamostore.Options{})
}
