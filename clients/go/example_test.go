package client_test

import (
	"context"
	"fmt"
	"log"

	client "serverless-websocket/clients/go"
)

func fetchToken(context.Context) (string, error) { return "eyJ…", nil }

// The client of the README.
func ExampleClient() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c := client.New(client.Options{
		URL:       "ws://localhost:3001",
		Token:     fetchToken, // func(context.Context) (string, error)
		Rooms:     []string{"goals"},
		OnMessage: func(e client.Event) { fmt.Println(e.Channel, e.Lost, string(e.Message.Content)) },
		OnError:   func(err error) { log.Print(err) },
	})
	go c.Run(ctx)
	id, err := c.Send(ctx, client.Outgoing{Content: "goal!", Room: "goals"})
	fmt.Println(id, err)
}
