package blackbox

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/integration/environments/lambdalocal"
)

// firstEvent is the first event of a function.
type firstEvent struct {
	function string
	event    any
}

// firstEvents are in an order in which none gives the event source work for another.
var firstEvents = []firstEvent{
	{"ping", events.APIGatewayV2HTTPRequest{RouteKey: "GET /ping"}},
	{"defaultmessage", webSocketEvent("MESSAGE", `{}`)},
	{"fanout", events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "1", Body: `{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"1"}]}`},
	}}},
	{"authorizer", events.APIGatewayCustomAuthorizerRequestTypeRequest{Type: "REQUEST"}},
	{"connectionmanager", ofAlice("$connect", webSocketEvent("CONNECT", ""))},
	{"rooms", ofAlice("joinRoom", webSocketEvent("MESSAGE", `{"room":"goals"}`))},
	{"history", ofAlice("resume", webSocketEvent("MESSAGE", `{}`))},
	{"presence", ofAlice("presence", webSocketEvent("MESSAGE", `{"room":"goals"}`))},
	{"authenticate", ofAlice("authenticate", webSocketEvent("MESSAGE", `{"token":"bad"}`))},
	{"sendmessage", ofAlice("sendMessage", webSocketEvent("MESSAGE", sendTemplate+`1}`))},
}

// ofAlice adds the route, and what the authorizer says of alice.
func ofAlice(route string, event events.APIGatewayWebsocketProxyRequest) events.APIGatewayWebsocketProxyRequest {
	event.RequestContext.RouteKey = route
	event.RequestContext.Authorizer = map[string]any{"user": "alice", "expiresAt": "4102444799"}
	return event
}

func webSocketEvent(eventType, body string) events.APIGatewayWebsocketProxyRequest {
	event := events.APIGatewayWebsocketProxyRequest{Body: body}
	event.RequestContext.EventType = eventType
	event.RequestContext.ConnectionID = "L0SM9cOFvHcCIhw="
	return event
}

// TestColdStart measures, for each function, the time from the start of its process until
// it asks for the first invocation, and that invocation, which opens connections.
func TestColdStart(t *testing.T) {
	t.Logf("cold start, median of %d:", coldStarts)
	coldStartAll(t, startLambda(t, identifiedLambda(identity{})), firstEvents)
}

func (e firstEvent) payload(t *testing.T) []byte {
	t.Helper()
	payload, err := json.Marshal(e.event)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

const coldStarts = 11

func coldStartAll(t *testing.T, s *lambdaService, rows []firstEvent) {
	t.Helper()
	for _, row := range rows {
		payload := row.payload(t)
		var inits, firsts []time.Duration
		for range coldStarts {
			e := coldStart(t, s.functions[row.function], payload)
			inits, firsts = append(inits, e.Init), append(firsts, e.First)
		}
		t.Logf("%-18s init %5.1f ms, first invocation %5.1f ms", row.function, median(inits), median(firsts))
	}
}

// coldStart makes the function start a new environment for the payload.
func coldStart(t *testing.T, f *lambdalocal.Function, payload []byte) lambdalocal.Environment {
	t.Helper()
	if _, err := f.Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	all := f.Environments()
	last := all[len(all)-1]
	if last.Invocations != 1 || last.Init == 0 {
		t.Fatalf("not a cold start: %+v", last)
	}
	f.Kill(last.ID)
	return last
}

// median returns the median in milliseconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2]) / float64(time.Millisecond)
}
