package lambdaevent_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/domain"
)

type handshake = events.APIGatewayCustomAuthorizerRequestTypeRequest

// authorizer accepts the token "alice's" alone.
func authorizer(challenge bool) (*lambdaevent.Authorizer, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return &lambdaevent.Authorizer{
		Verify: func(_ context.Context, token string) (domain.Principal, error) {
			if token != "alice's" {
				return domain.Principal{}, errors.New("the token is malformed")
			}
			return domain.Principal{User: "alice", Scope: domain.NewScope("broadcast"), ExpiresAt: time.Unix(1795338000, 0)}, nil
		},
		Challenge: challenge,
		Log:       slog.New(slog.NewJSONHandler(log, nil)),
	}, log
}

func headers(name string, values ...string) handshake {
	return handshake{MethodArn: "arn", MultiValueHeaders: map[string][]string{name: values}}
}

func TestWhereATokenIsFound(t *testing.T) {
	query := func(values ...string) handshake {
		return handshake{MethodArn: "arn", MultiValueQueryStringParameters: map[string][]string{"token": values}}
	}
	both := query("alice's")
	both.MultiValueHeaders = map[string][]string{"Authorization": {"Bearer alice's"}}
	for name, test := range map[string]struct {
		event  handshake
		effect string
	}{
		"header":               {headers("Authorization", "Bearer alice's"), "Allow"},
		"header in any case":   {headers("authorization", "bearer alice's"), "Allow"},
		"subprotocol":          {headers("Sec-WebSocket-Protocol", "bearer, alice's"), "Allow"},
		"two subprotocols":     {headers("sec-websocket-protocol", "bearer", "alice's"), "Allow"},
		"query":                {query("alice's"), "Allow"},
		"nothing":              {handshake{MethodArn: "arn"}, "Deny"},
		"another scheme":       {headers("Authorization", "Basic alice's"), "Deny"},
		"another subprotocol":  {headers("Sec-WebSocket-Protocol", "chat, alice's"), "Deny"},
		"bearer alone":         {headers("Sec-WebSocket-Protocol", "bearer"), "Deny"},
		"two tokens":           {query("alice's", "bob's"), "Deny"},
		"tokens in two places": {both, "Deny"},
		"a bad token":          {query("bob's"), "Deny"},
		"an empty token":       {query(""), "Deny"},
		"a long token":         {query(strings.Repeat("x", 3501)), "Deny"},
	} {
		a, log := authorizer(false)
		response, err := a.Handle(context.Background(), test.event)
		if err != nil || len(response.PolicyDocument.Statement) != 1 {
			t.Fatalf("%s: %+v, %v", name, response, err)
		}
		s := response.PolicyDocument.Statement[0]
		if s.Effect != test.effect || s.Resource[0] != "arn" || s.Action[0] != "execute-api:Invoke" {
			t.Errorf("%s: %+v, want %s", name, s, test.effect)
		}
		if allowed := test.effect == "Allow"; allowed != (response.PrincipalID == "alice") || allowed != (log.Len() == 0) {
			t.Errorf("%s: principal %q, logged %s", name, response.PrincipalID, log)
		}
		if strings.Contains(log.String(), "alice's") || strings.Contains(log.String(), "bob's") {
			t.Errorf("%s: a token is in the log: %s", name, log)
		}
	}
}

func TestOnlyAChallengeFails(t *testing.T) {
	a, _ := authorizer(true)
	if _, err := a.Handle(context.Background(), handshake{}); !errors.Is(err, lambdaevent.ErrUnauthorized) {
		t.Errorf("without a token: %v", err)
	}
	if _, err := a.Handle(context.Background(), headers("Authorization", "Bearer x")); err != nil {
		t.Errorf("with a bad token: %v", err)
	}
}

// What the authorizer says of a connection decides on its messages.
func TestThePrincipalReachesEveryRequest(t *testing.T) {
	a, _ := authorizer(false)
	allowed, err := a.Handle(context.Background(), headers("Authorization", "Bearer alice's"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(map[string]any)
		want   string // in the reply
		sender string
	}{
		"permitted":         {func(c map[string]any) { c["expiresAt"] = "4102444799" }, `"accepted"`, "alice"},
		"unreadable expiry": {func(c map[string]any) { c["expiresAt"] = "1.795338e+09" }, `"unauthenticated"`, ""},
		"expired":           {func(map[string]any) {}, `"unauthenticated"`, ""},
		"no scope": {func(c map[string]any) { c["expiresAt"], c["scope"] = "4102444799", "openid" },
			`"forbidden"`, ""},
	} {
		f := newFunctions()
		values := map[string]any{"principalId": "alice"}
		for key, value := range allowed.Context {
			values[key] = value
		}
		test.change(values)
		event := message(`{"content":1}`)
		event.RequestContext.Authorizer = values
		connect := event
		connect.RequestContext.EventType = "CONNECT"
		if response, err := f.connections.Handle(context.Background(), connect); err != nil || response.StatusCode != 200 {
			t.Fatalf("%s: %+v, %v", name, response, err)
		}
		response, err := f.send.Handle(context.Background(), event)
		if err != nil || !strings.Contains(response.Body, test.want) {
			t.Errorf("%s: %s, %v", name, response.Body, err)
		}
		if len(f.queue.bodies) != len(test.sender)/len("alice") {
			t.Fatalf("%s: %d jobs", name, len(f.queue.bodies))
		}
		for _, body := range f.queue.bodies {
			if job, err := domain.DecodeJob(body); err != nil || job.Messages[0].Sender != test.sender {
				t.Errorf("%s: %s, %v", name, body, err)
			}
		}
	}
}

func TestABearerSubprotocolIsAnswered(t *testing.T) {
	for offered, want := range map[string]string{"bearer, alice's": "bearer", "chat": "", "chat, bearer": ""} {
		f := newFunctions()
		event := message("")
		event.RequestContext.EventType = "CONNECT"
		event.MultiValueHeaders = map[string][]string{"Sec-WebSocket-Protocol": {offered}}
		response, err := f.connections.Handle(context.Background(), event)
		if err != nil || response.StatusCode != 200 || response.Headers["Sec-WebSocket-Protocol"] != want {
			t.Errorf("%s: %+v, %v", offered, response, err)
		}
	}
}

// The pages of other origins are refused whatever their token, and clients that are no
// browsers are not.
func TestWhichPagesMayConnect(t *testing.T) {
	listed := lambdaevent.Origins{"https://chat.example", "https://*.example.com"}
	for name, test := range map[string]struct {
		allowed lambdaevent.Origins
		origins []string
		effect  string
	}{
		"none is sent":     {listed, nil, "Allow"},
		"listed":           {listed, []string{"https://chat.example"}, "Allow"},
		"below a name":     {listed, []string{"https://a.example.com"}, "Allow"},
		"another":          {listed, []string{"https://evil.example"}, "Deny"},
		"null":             {listed, []string{"null"}, "Deny"},
		"two":              {listed, []string{"https://chat.example", "https://chat.example"}, "Deny"},
		"there is no list": {nil, []string{"https://evil.example"}, "Allow"},
	} {
		a, log := authorizer(false)
		a.Origins = test.allowed
		event := headers("Authorization", "Bearer alice's")
		event.MultiValueHeaders["origin"] = test.origins
		response, err := a.Handle(context.Background(), event)
		if err != nil || response.PolicyDocument.Statement[0].Effect != test.effect {
			t.Errorf("%s: %+v, %v; want %s", name, response, err, test.effect)
		}
		if refused := test.effect == "Deny"; refused != strings.Contains(log.String(), "origin is not allowed") {
			t.Errorf("%s: logged %s", name, log)
		}
	}
}
