package wsgateway

import (
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/netip"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

// apiID takes the place of the API's id in API Gateway.
const apiID = "local"

// commonLog is the time layout of the Common Log Format, used for requestTime.
const commonLog = "02/Jan/2006:15:04:05 -0700"

func (c *conn) connectEvent(r *request) events.APIGatewayWebsocketProxyRequest {
	event := c.event(connectRoute, "CONNECT")
	event.MultiValueHeaders = eventHeaders(r.fields)
	event.Headers = lastValues(event.MultiValueHeaders)
	if r.query == "" {
		return event
	}
	if query := parseQuery(r.query); len(query) > 0 {
		event.MultiValueQueryStringParameters = query
		event.QueryStringParameters = lastValues(query)
	}
	return event
}

func (c *conn) messageEvent(routeKey, body string) events.APIGatewayWebsocketProxyRequest {
	event := c.event(routeKey, "MESSAGE")
	event.RequestContext.MessageID = newShortID()
	event.Body = body
	return event
}

func (c *conn) disconnectEvent() events.APIGatewayWebsocketProxyRequest {
	end := c.end
	event := c.event(disconnectRoute, "DISCONNECT")
	event.RequestContext.DisconnectStatusCode = int64(end.code)
	event.RequestContext.DisconnectReason = &end.reason
	return event
}

// event returns the fields that all events of the connection share.
func (c *conn) event(routeKey, eventType string) events.APIGatewayWebsocketProxyRequest {
	now := time.Now().UTC()
	return events.APIGatewayWebsocketProxyRequest{
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			RouteKey:          routeKey,
			EventType:         eventType,
			ConnectionID:      string(c.id),
			ConnectedAt:       c.connectedAt.UnixMilli(),
			DomainName:        c.domainName,
			Stage:             c.g.cfg.Stage,
			APIID:             apiID,
			RequestID:         uuid.NewString(),
			ExtendedRequestID: newShortID(),
			RequestTime:       now.Format(commonLog),
			RequestTimeEpoch:  now.UnixMilli(),
			MessageDirection:  "IN",
			Authorizer:        c.authorizer,
			Identity: events.APIGatewayRequestIdentity{
				SourceIP:  c.sourceIP,
				UserAgent: c.userAgent,
			},
		},
	}
}

// eventHeaders returns the handshake's headers as API Gateway passes them on:
// spelled as the client sent them, without Connection and Upgrade. Fields whose
// names differ only in case are merged under the first spelling.
func eventHeaders(fields []field) map[string][]string {
	headers := make(map[string][]string, len(fields))
	values := make([]string, 0, len(fields)) // of all headers with one
	for i, f := range fields {
		if f.is("connection") || f.is("upgrade") {
			continue
		}
		name := firstSpelling(fields[:i], f.name)
		if before, ok := headers[name]; ok {
			headers[name] = append(before, f.value)
			continue
		}
		values = append(values, f.value)
		headers[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return headers
}

// firstSpelling returns the first of the names that differ only in case from this one, or
// the name itself.
func firstSpelling(fields []field, name string) string {
	for _, f := range fields {
		if f.is(name) {
			return f.name
		}
	}
	return name
}

func lastValues(multi map[string][]string) map[string]string {
	single := make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = values[len(values)-1]
	}
	return single
}

func sourceIP(peer net.Addr) string {
	if tcp, ok := peer.(interface{ AddrPort() netip.AddrPort }); ok {
		return tcp.AddrPort().Addr().Unmap().String()
	}
	host, _, err := net.SplitHostPort(peer.String())
	if err != nil {
		return peer.String()
	}
	return host
}

// newShortID returns an id in the format of API Gateway's connection, message and
// extended request ids: 11 bytes in base64. It uses the URL-safe alphabet, so that
// a connection id can be part of a URL.
func newShortID() string {
	var id [11]byte
	_, _ = rand.Read(id[:]) // never fails
	var text [16]byte
	base64.URLEncoding.Encode(text[:], id[:])
	return string(text[:])
}
