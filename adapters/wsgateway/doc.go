// Package wsgateway is a standalone gateway with the semantics of the Amazon
// API Gateway WebSocket API. It holds the sockets, passes what happens on them to
// functions as the events that API Gateway would send, and posts to clients: in
// process as a ports.Poster, and over HTTP as @connections.
//
// The semantics are those of
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html
// and the limits those of
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
package wsgateway
