package wsgateway

import (
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/aws/aws-lambda-go/events"
)

// upgrade is a handshake that has arrived.
type upgrade struct {
	g       *Gateway
	request request
	rest    []byte // what arrived together with it
	c       *conn
	id      string // of $connect's request; the event itself is not kept, since it is large
	finish  func(error)
}

// upgrades holds those that have ended, for the memory of their fields.
var upgrades = sync.Pool{New: func() any { return new(upgrade) }}

// upgrade turns the socket into a connection, and then calls finish with nil or a refusal.
// If an integration times out, another goroutine calls it, before upgrade returns.
func (g *Gateway) upgrade(sock net.Conn, head, rest []byte, finish func(error)) {
	u := upgrades.Get().(*upgrade)
	u.g, u.rest, u.finish = g, rest, finish
	err := u.request.parse(head)
	if err == nil {
		err = g.check(&u.request, sock)
	}
	if err == nil {
		err = g.admitConnection()
	}
	if err != nil {
		u.end(err)
		return
	}
	u.c = g.newConn(&u.request, sock)
	event := u.c.connectEvent(&u.request)
	u.id = event.RequestContext.RequestID
	u.authorize(event)
}

// end is called once, with nil or a refusal. The upgrade must not be used any more.
func (u *upgrade) end(err error) {
	finish, fields := u.finish, u.request.fields
	clear(fields)
	*u = upgrade{request: request{fields: fields}}
	upgrades.Put(u)
	finish(err)
}

// connect invokes $connect.
func (u *upgrade) connect(event events.APIGatewayWebsocketProxyRequest) {
	route, ok := u.g.cfg.Routes[connectRoute]
	if !ok {
		u.accept(nil)
		return
	}
	event.RequestContext.Authorizer = u.c.authorizer
	u.g.calls.enter()
	attempt(u.g, route.Integration, event, u.connected)
}

// connected evaluates the answer of $connect.
func (u *upgrade) connected(answer events.APIGatewayProxyResponse, err error) {
	u.g.calls.leave()
	subprotocols := subprotocol(answer.Headers, answer.MultiValueHeaders)
	if err == nil {
		err = checkAnswer(answer.StatusCode, subprotocols)
	}
	switch {
	case err != nil:
		u.failed(err)
		u.refuse(u.refusal(http.StatusBadGateway, "Internal server error"))
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		u.refuse(refusal{answer.StatusCode, "text/plain; charset=utf-8", answer.Body})
	default:
		u.accept(subprotocols)
	}
}

func (u *upgrade) accept(subprotocols []string) {
	u.g.open(u.c, accepted(&u.request, subprotocols), u.rest)
	u.g.handshakes.Done()
	u.end(nil)
}

func (u *upgrade) failed(err error) {
	u.g.observe(func(o Observer) { o.IntegrationFailed(connectRoute, u.c.id, u.id, err) })
}

// refusal names the connection that does not open, and the request.
func (u *upgrade) refusal(status int, message string) refusal {
	return refuseWith(status, gatewayMessage{message, string(u.c.id), u.id})
}

func (u *upgrade) refuse(refused refusal) {
	u.g.release()
	u.g.handshakes.Done()
	u.end(refused)
}

// checkAnswer returns an error for a status that an HTTP response cannot have, and for
// a subprotocol that would break out of its header.
func checkAnswer(status int, subprotocols []string) error {
	if status < 200 || status > 599 {
		return fmt.Errorf("integration answered with status %d", status)
	}
	for _, s := range subprotocols {
		if !isFieldValue(s) {
			return fmt.Errorf("integration answered with subprotocol %q", s)
		}
	}
	return nil
}

// open starts the connection. From here on, it takes posts. The handshake's response
// is queued as its first frame, so that no post overtakes it or waits for it.
func (g *Gateway) open(c *conn, response, rest []byte) {
	c.mu.Lock()
	c.attach(rest)
	g.add(c)
	c.enqueue(response)
	c.mu.Unlock()
	g.observe(func(o Observer) { o.ConnectionOpened(c.id) })
	g.running.Add(1)
	if !c.park() {
		g.goroutines.run(c.serve)
	}
}
