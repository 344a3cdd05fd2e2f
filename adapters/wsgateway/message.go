package wsgateway

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
)

// gatewayMessage is what the gateway itself tells a client, over HTTP or in a
// frame.
type gatewayMessage struct {
	Message      string `json:"message"`
	ConnectionID string `json:"connectionId,omitempty"`
	RequestID    string `json:"requestId,omitempty"`
}

func (c *conn) gatewayMessage(text string, event events.APIGatewayWebsocketProxyRequest) gatewayMessage {
	return gatewayMessage{text, string(c.id), event.RequestContext.RequestID}
}

// handle invokes the route that a message selects. The next message is not read
// before it returns.
func (c *conn) handle(message *bytes.Buffer) {
	key := c.g.selectRoute(message.Bytes())
	event := c.messageEvent(key, message.String())
	messages.Put(message)
	if !c.g.admitMessage() {
		c.replyMessage("Service unavailable", event)
		return
	}
	defer c.g.messages.Done()
	route, ok := c.g.cfg.Routes[key]
	if !ok {
		c.replyMessage("Forbidden", event)
		return
	}
	if err := c.callRoute(route, event); err != nil {
		c.g.logFailure(event, err)
		c.replyMessage("Internal server error", event)
	}
}

func (c *conn) callRoute(route Route, event events.APIGatewayWebsocketProxyRequest) error {
	response, err := c.g.invoke(route.Integration, event)
	if err != nil || !route.Response {
		return err
	}
	frames, err := c.g.encode([]byte(response.Body))
	if err != nil {
		return fmt.Errorf("route response: %w", err)
	}
	c.reply(frames)
	return nil
}

func (c *conn) replyMessage(text string, event events.APIGatewayWebsocketProxyRequest) {
	body, err := json.Marshal(c.gatewayMessage(text, event))
	if err != nil {
		return // three strings always marshal
	}
	if frames, err := c.g.encode(body); err == nil { // fails only under a tiny MessageLimit
		c.reply(frames)
	}
}

// disconnect invokes $disconnect, once for every connection that $connect let
// in.
func (c *conn) disconnect() {
	c.g.cfg.Log.Debug("connection closed", "connectionId", c.id, "code", c.end.code, "reason", c.end.reason)
	route, ok := c.g.cfg.Routes[disconnectRoute]
	if !ok {
		return
	}
	event := c.disconnectEvent()
	if _, err := c.g.invoke(route.Integration, event); err != nil {
		c.g.logFailure(event, err)
	}
}
