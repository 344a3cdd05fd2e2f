package wsgateway

import (
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
)

// gatewayMessage is a message from the gateway itself to a client, over HTTP or in a
// frame.
type gatewayMessage struct {
	Message      string `json:"message"`
	ConnectionID string `json:"connectionId,omitempty"`
	RequestID    string `json:"requestId,omitempty"`
}

func (c *conn) gatewayMessage(text string, event events.APIGatewayWebsocketProxyRequest) gatewayMessage {
	return gatewayMessage{text, string(c.id), event.RequestContext.RequestID}
}

// handle invokes the route that a message selects. The next message is read after it
// returns. The caller holds a turn, which handle gives up while the route runs.
func (c *conn) handle(message []byte) {
	refused := c.takeRefused()
	if c.call(message) {
		refused++
	}
	for range refused {
		c.countIdle()
	}
}

// call invokes the route and reports whether the message was refused. Where the call only
// waits, call need not wait for its end: then a refusal is counted with the next message.
func (c *conn) call(message []byte) (refused bool) {
	key := c.g.selectRoute(message)
	event := c.messageEvent(key, string(message))
	c.enterWindow(len(message))
	c.g.calls.enter()
	c.g.turns.leave()
	defer c.g.turns.enter()
	if !c.g.admitMessage() {
		c.g.calls.leave()
		return c.refuse("Service unavailable", event)
	}
	route, ok := c.g.cfg.Routes[key]
	if !ok {
		c.g.calls.leave()
		defer c.g.messages.Done()
		return c.refuse("Forbidden", event)
	}
	i := begin(c.g, route.Integration, event)
	event.Body = "" // which an answer does not need
	waits := i.onlyWaits()
	c.g.calls.leave() // before the reply, which can wait for a client that does not read
	answer := func() (refused bool) {
		defer c.g.messages.Done()
		response, err := i.result()
		c.respond(route, event, response, err)
		return err != nil || response.StatusCode >= 400
	}
	if waits && c.answerLater(i.ctx, answer) {
		return false
	}
	c.awaitAnswers()
	return answer()
}

// refuse answers for the gateway. It returns true.
func (c *conn) refuse(text string, event events.APIGatewayWebsocketProxyRequest) bool {
	c.awaitAnswers()
	c.replyMessage(text, event)
	return true
}

// respond sends the route response, if the route has one, or an error message.
func (c *conn) respond(route Route, event events.APIGatewayWebsocketProxyRequest, response events.APIGatewayProxyResponse, err error) {
	if err == nil && !route.Response {
		return
	}
	var frames []byte
	if err == nil {
		frames, err = c.g.encode([]byte(response.Body))
	}
	if err != nil {
		c.g.integrationFailed(event, err)
		c.replyMessage("Internal server error", event)
		return
	}
	c.reply(frames)
}

func (c *conn) replyMessage(text string, event events.APIGatewayWebsocketProxyRequest) {
	body, err := json.Marshal(c.gatewayMessage(text, event))
	if err != nil {
		return // three strings always marshal
	}
	if frames, err := c.g.encode(body); err == nil { // fails only if MessageLimit is tiny
		c.reply(frames)
	}
}

// disconnect invokes $disconnect. It is called once for each connection that was
// opened.
func (c *conn) disconnect() {
	end := ConnectionEnd{int(c.end.code), c.end.reason, c.slow}
	c.g.observe(func(o Observer) { o.ConnectionClosed(c.id, end) })
	route, ok := c.g.cfg.Routes[disconnectRoute]
	if !ok {
		return
	}
	event := c.disconnectEvent()
	c.awaitAnswers()
	c.g.calls.enter()
	defer c.g.calls.leave()
	if _, err := invoke(c.g, route.Integration, event); err != nil {
		c.g.integrationFailed(event, err)
	}
}
