package wsgateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"serverless-websocket/adapters/wsgateway"
)

// A gateway passes frames to a Lambda function's handler.
func Example() {
	ctx := context.Background()
	echo := func(_ context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: "You said: " + event.Body}, nil
	}
	gateway, err := wsgateway.New(wsgateway.Config{
		Routes: map[string]wsgateway.Route{"$default": {Integration: echo, Response: true}},
		Log:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := gateway.Listen("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- gateway.Serve(listener) }()
	say(ctx, listener.Addr())
	listener.Close()
	gateway.Close(ctx)
	<-served
	// Output: You said: "hello"
}

// say sends a frame and prints the reply.
func say(ctx context.Context, to net.Addr) {
	client, _, err := websocket.Dial(ctx, "ws://"+to.String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseNow()
	if err := client.Write(ctx, websocket.MessageText, []byte(`"hello"`)); err != nil {
		fmt.Println(err)
		return
	}
	_, reply, err := client.Read(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(reply))
}
