package wsgateway

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"net"
	"strings"
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
	headers, spelled := make(map[string][]string, len(fields)), make(map[string]string, len(fields))
	for _, f := range fields {
		key := strings.ToLower(f.name)
		if key == "connection" || key == "upgrade" {
			continue
		}
		name := cmp.Or(spelled[key], f.name)
		spelled[key] = name
		headers[name] = append(headers[name], f.value)
	}
	return headers
}

func lastValues(multi map[string][]string) map[string]string {
	single := make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = values[len(values)-1]
	}
	return single
}

func sourceIP(peer net.Addr) string {
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
	return base64.URLEncoding.EncodeToString(id[:])
}
