// Package history opens what a stage keeps of messages, for the functions that use it. It
// keeps them for HISTORY_DAYS; if that is 0, there is nothing to open.
package history

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/ports"
)

// Log returns the log in the table that the environment names in LOGS_TABLE, or nil.
func Log(env *boot.Env, client *dynamodb.Client) ports.MessageLog {
	options, kept := optionsOf(env)
	if !kept {
		return nil
	}
	return dynamostore.NewMessageLog(client, env.Required("LOGS_TABLE"), options)
}

// Conversations returns those in the table that the environment names in
// CONVERSATIONS_TABLE, or nil.
func Conversations(env *boot.Env, client *dynamodb.Client) ports.Conversations {
	options, kept := optionsOf(env)
	if !kept {
		return nil
	}
	return dynamostore.NewConversations(client, env.Required("CONVERSATIONS_TABLE"), options)
}

func optionsOf(env *boot.Env) (options dynamostore.LogOptions, kept bool) {
	days := env.Days("HISTORY_DAYS")
	return dynamostore.LogOptions{Retention: days}, days > 0
}
