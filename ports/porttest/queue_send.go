package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"serverless-websocket/ports"
)

func (c *queueCase) one() {
	c.send(plain("a")...)
	c.holds("a")
}

func (c *queueCase) none() {
	c.send()
	c.holds()
}

// many sends more than two SQS batches can hold.
func (c *queueCase) many() {
	all := bodiesLike("message", 25)
	c.send(plain(all...)...)
	c.holds(all...)
}

func (c *queueCase) exact() {
	all := []string{
		"서버리스 웹소켓 API 테스트 🙂👩‍👩‍👧",
		`{"html":"<b>&amp;</b>","escaped":"\u003c\u0000","n":1.50,"b" : [ ]}`,
		" white space around \t\r\n",
		"\t", " ", "\r\n",
		"\u0020\uD7FF\uE000\uFFFD\U00010000\U0010FFFF", // the limits of XML's Char
		"e\u0301 is not \u00e9", `"`, `\`, "a&b=c%20d+e",
	}
	c.send(plain(all...)...)
	c.holds(all...)
}

// skew is how much too early a server's timer may fire.
const skew = 10 * time.Millisecond

// delay sends a message at once, one with a delay of a second and one with a
// fraction, which must not be rounded down.
func (c *queueCase) delay() {
	delays := map[string]time.Duration{"none": 0, "fraction": 300 * time.Millisecond, "second": time.Second}
	start := time.Now()
	c.send(
		ports.QueueMessage{Body: "second", Delay: delays["second"]},
		ports.QueueMessage{Body: "fraction", Delay: delays["fraction"]},
		ports.QueueMessage{Body: "none"},
	)
	var got []string
	for len(got) < len(delays) {
		came := c.next()
		if slices.Contains(came, "none") && slices.Contains(got, "second") {
			c.Errorf("a message without a delay arrived after %q", got)
		}
		for _, body := range came {
			if after := time.Since(start); after < delays[body]-skew {
				c.Errorf("a message with a delay of %v arrived after %v", delays[body], after)
			}
		}
		got = append(got, came...)
	}
	c.same(got, []string{"none", "fraction", "second"})
}

func (c *queueCase) cancelled() {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	if err := c.Queue.Send(ctx, plain("a")...); !errors.Is(err, context.Canceled) {
		c.Errorf("Send under a cancelled context: %v, want context.Canceled", err)
	}
	c.send(plain("b")...)
	for !slices.Contains(c.next(), "b") {
	}
}

func (c *queueCase) concurrent() {
	var all []string
	var senders sync.WaitGroup
	for s := range 6 {
		mine := bodiesLike(fmt.Sprint("sender-", s), 12)
		all = append(all, mine...)
		senders.Go(func() {
			for _, part := range [][]string{mine[:1], mine[1:]} {
				if err := c.Queue.Send(c.ctx, plain(part...)...); err != nil {
					c.Error(err)
				}
			}
		})
	}
	senders.Wait()
	c.holds(all...)
}

// someNotStored resends what the error names, so that each message is stored once.
func (c *queueCase) someNotStored() {
	var failure *ports.SendError
	all := bodiesLike("message", 25)
	err := c.Queue.Send(c.ctx, plain(all...)...)
	if !errors.As(err, &failure) || len(failure.Failed) == 0 || len(failure.Failed) == len(all) {
		c.Fatalf("Send to a queue that stores some: %v, want a *ports.SendError that names the others", err)
	}
	var stored, again []string
	for i, body := range all {
		if failure.Failed[i] == nil {
			stored = append(stored, body)
		} else {
			again = append(again, body)
		}
	}
	var got []string
	for len(got) < len(stored) {
		got = append(got, c.next()...)
	}
	c.same(got, stored)
	c.send(plain(again...)...)
	c.holds(again...)
}

// notKept overwrites the slice after Send has returned.
func (c *queueCase) notKept() {
	messages := plain("a", "b")
	c.send(messages...)
	messages[0], messages[1] = ports.QueueMessage{Body: "x"}, ports.QueueMessage{Body: "y"}
	c.holds("a", "b")
}
