// Command centrifuge broadcasts with the library centrifugal/centrifuge, over its own
// WebSocket handler and JSON protocol: the server subscribes each client that connects to
// one channel, and clients publish into it. Publications carry only their data, and there
// is no history, presence, compression or ping.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/centrifugal/centrifuge"
)

const channel = "all"

func main() {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Credentials:        &centrifuge.Credentials{},
			Subscriptions:      map[string]centrifuge.SubscribeOptions{channel: {}},
			MaxMessagesInFrame: -1, // all waiting messages share a frame, not just 16
		}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnPublish(func(e centrifuge.PublishEvent, reply centrifuge.PublishCallback) {
			// Published here, since otherwise each publication names its sender.
			result, err := node.Publish(e.Channel, e.Data)
			reply(centrifuge.PublishReply{Result: &result}, err)
		})
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	handler := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		UseWriteBufferPool:         true,
		ProcessCommandsOffReadLoop: true, // less memory for idle connections
		PingPongConfig:             centrifuge.PingPongConfig{PingInterval: -1, PongTimeout: -1},
	})
	log.Fatal(http.ListenAndServe(os.Args[1], handler))
}
