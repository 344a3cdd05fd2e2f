package porttest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"serverless-websocket/ports"
)

// bodyOf returns a text of n bytes that begins with a tag. Its characters have three
// bytes, so that a count of characters is not a count of bytes.
func bodyOf(tag string, n int) string {
	n -= len(tag)
	return tag + strings.Repeat("한", n/3) + strings.Repeat(".", n%3)
}

// refused checks that the error of a Send names exactly these messages and their reasons.
func (c *queueCase) refused(err error, want map[int]error) {
	c.Helper()
	var failure *ports.SendError
	if !errors.As(err, &failure) {
		c.Errorf("Send: %v, want a *ports.SendError", err)
		return
	}
	got := slices.Sorted(maps.Keys(failure.Failed))
	if indices := slices.Sorted(maps.Keys(want)); !slices.Equal(got, indices) {
		c.Errorf("messages %v failed, want %v: %v", got, indices, err)
	}
	for i, reason := range want {
		if !errors.Is(failure.Failed[i], reason) {
			c.Errorf("message %d failed with %v, want %v", i, failure.Failed[i], reason)
		}
	}
}

func (c *queueCase) longest() {
	longest := bodyOf("longest", ports.MaxQueueBody)
	c.send(plain(longest)...)
	c.holds(longest)
}

func (c *queueCase) tooLarge() {
	err := c.Queue.Send(c.ctx, plain(bodyOf("too large", ports.MaxQueueBody+1))...)
	c.refused(err, map[int]error{0: ports.ErrTooLarge})
	c.holds()
}

// largeTogether sends more in one call than an SQS request can hold.
func (c *queueCase) largeTogether() {
	all := []string{
		bodyOf("1", ports.MaxQueueBody), bodyOf("2", 700<<10), bodyOf("3", 700<<10), "4", bodyOf("5", 500<<10),
		bodyOf("6", 300<<10), bodyOf("7", 300<<10), "8", bodyOf("9", ports.MaxQueueBody-1),
	}
	c.send(plain(all...)...)
	c.holds(all...)
}

// badAmongGood has bad messages in the first and in the second SQS batch.
func (c *queueCase) badAmongGood() {
	good := bodiesLike("good", 25)
	messages := plain(good...)
	messages[3].Body = bodyOf("too large", ports.MaxQueueBody+1)
	messages[9].Delay = -time.Second
	messages[17].Body = ""
	c.refused(c.Queue.Send(c.ctx, messages...), map[int]error{
		3: ports.ErrTooLarge, 9: ports.ErrBadMessage, 17: ports.ErrBadMessage,
	})
	for _, i := range []int{17, 9, 3} {
		good = slices.Delete(good, i, i+1)
	}
	c.holds(good...)
}

func (c *queueCase) bad() {
	for name, m := range map[string]ports.QueueMessage{
		"empty":              {},
		"NUL":                {Body: "a\x00b"},
		"control character":  {Body: "a\x1fb"},
		"U+FFFE":             {Body: "a\uFFFEb"},
		"not UTF-8":          {Body: "a\xffb"},
		"surrogate in UTF-8": {Body: "a\xed\xa0\x80b"},
		"delay below zero":   {Body: "a", Delay: -time.Nanosecond},
		"delay over limit":   {Body: "a", Delay: ports.MaxQueueDelay + time.Nanosecond},
	} {
		c.Log(name)
		c.refused(c.Queue.Send(c.ctx, m), map[int]error{0: ports.ErrBadMessage})
	}
	c.holds()
}

// longestDelay is accepted; the test does not wait for it to end.
func (c *queueCase) longestDelay() {
	c.send(ports.QueueMessage{Body: "late", Delay: ports.MaxQueueDelay}, ports.QueueMessage{Body: "now"})
	c.holds("now")
}
