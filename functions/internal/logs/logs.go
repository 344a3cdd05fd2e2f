// Package logs opens the log of messages of a stage for the functions that use it.
package logs

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/ports"
)

// Open returns the log in the table that the environment names in LOGS_TABLE. It keeps
// messages for HISTORY_DAYS; if that is 0, there is none, and Open returns nil.
func Open(env *boot.Env, client *dynamodb.Client) ports.MessageLog {
	retention := env.Days("HISTORY_DAYS")
	if retention == 0 {
		return nil
	}
	return dynamostore.NewMessageLog(client, env.Required("LOGS_TABLE"), dynamostore.LogOptions{Retention: retention})
}
