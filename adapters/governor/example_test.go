package governor_test

import (
	"context"
	"fmt"

	"serverless-websocket/adapters/governor"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// printer is a gateway that prints what is posted.
type printer struct{}

func (printer) Prepare(payload []byte) (ports.Post, error) {
	return func(_ context.Context, id domain.ConnectionID) error {
		fmt.Printf("%s to %s\n", payload, id)
		return nil
	}, nil
}

func (printer) Closing() ports.Post { return nil }

// A governor is a poster that keeps another poster within its share of a quota.
func ExampleNew() {
	poster := governor.New(printer{}, governor.Options{PerSecond: 1_000, Burst: 2})
	post, err := poster.Prepare([]byte("hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range []domain.ConnectionID{"a", "b", "c"} { // the last one waits for a turn
		if err := post(context.Background(), id); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// hello to a
	// hello to b
	// hello to c
}
