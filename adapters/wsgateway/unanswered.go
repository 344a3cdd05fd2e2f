package wsgateway

import "context"

// Messages whose calls only wait, for a disk say, do not keep the next messages of their
// client waiting, so that they all share the wait. Their replies keep the order of the
// messages.
const (
	// clientUnanswered is how many such messages one client can have.
	clientUnanswered = 128
	// allWaiting is how many such calls of all clients can wait. Beyond it, each client has
	// one. What waits for a client to read its replies does not count.
	allWaiting = 1024
)

// answerLater has answer, which reports a refusal, called after those before it. It waits
// while the client has too many, and reports false if the calls of all clients are too many.
// The context ends with the call.
func (c *conn) answerLater(call context.Context, answer func() (refused bool)) bool {
	if !c.g.waiting.tryEnter() {
		return false
	}
	context.AfterFunc(call, c.g.waiting.leave)
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.unanswered) >= clientUnanswered {
		c.changed.Wait()
	}
	c.unanswered = append(c.unanswered, answer)
	if len(c.unanswered) == 1 {
		c.g.running.Add(1)
		c.g.goroutines.run(c.answerAll)
	}
	return true
}

// answerAll runs until no message is unanswered.
func (c *conn) answerAll() {
	defer c.g.running.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.unanswered) > 0 {
		answer := c.unanswered[0]
		c.mu.Unlock()
		refused := answer()
		c.mu.Lock()
		if refused {
			c.refused++
		}
		c.unanswered[0] = nil
		c.unanswered = c.unanswered[1:]
		c.changed.Broadcast()
	}
	c.unanswered = nil
}

// awaitAnswers waits until no message is unanswered.
func (c *conn) awaitAnswers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.unanswered) > 0 {
		c.changed.Wait()
	}
}

// takeRefused returns how many messages were refused by an answer since the last call.
func (c *conn) takeRefused() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, c.refused = c.refused, 0
	return n
}
