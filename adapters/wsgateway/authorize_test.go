package wsgateway

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

type authorization = events.APIGatewayCustomAuthorizerResponse

// decides returns an authorizer whose policy has the statements.
func decides(statements ...events.IAMPolicyStatement) Authorizer {
	return func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (authorization, error) {
		return authorization{PrincipalID: "alice", PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Statement: statements}}, nil
	}
}

func statement(effect, action, resource string) events.IAMPolicyStatement {
	return events.IAMPolicyStatement{Effect: effect, Action: []string{action}, Resource: []string{resource}}
}

func TestTheAuthorizerDecidesOnHandshakes(t *testing.T) {
	const arn = "arn:aws:execute-api:local:000000000000:local/dev/$connect"
	allow := statement("Allow", "execute-api:Invoke", arn)
	fails := func(err error) Authorizer {
		return func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (authorization, error) {
			return authorization{PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Statement: []events.IAMPolicyStatement{allow}}}, err
		}
	}
	for name, test := range map[string]struct {
		authorizer Authorizer
		status     int
		body       string
	}{
		"allowed":               {decides(allow), 101, ""},
		"allowed by a wildcard": {decides(statement("Allow", "execute-api:*", "arn:aws:execute-api:*:local/dev/*")), 101, ""},
		"allowed by a star":     {decides(statement("Allow", "*", "*")), 101, ""},
		"denied":                {decides(statement("Deny", "execute-api:Invoke", arn)), 403, `"message":"Forbidden"`},
		"a deny by a pattern":   {decides(allow, statement("Deny", "execute-api:Inv*", "*")), 403, `"message":"Forbidden"`},
		"a deny wins":           {decides(allow, statement("Deny", "*", "*")), 403, `"message":"Forbidden"`},
		"no statement":          {decides(), 403, `"message":"Forbidden"`},
		"another resource":      {decides(statement("Allow", "execute-api:Invoke", arn+"x")), 403, `"message":"Forbidden"`},
		"another stage":         {decides(statement("Allow", "execute-api:Invoke", strings.ReplaceAll(arn, "/dev/", "/prod/"))), 403, `"message":"Forbidden"`},
		"another action":        {decides(statement("Allow", "s3:GetObject", arn)), 403, `"message":"Forbidden"`},
		"an unknown effect":     {decides(statement("Perhaps", "*", "*")), 403, `"message":"Forbidden"`},
		"a set is no wildcard":  {decides(statement("Allow", "*", strings.ReplaceAll(arn, "$connect", "[$]connect"))), 403, `"message":"Forbidden"`},
		"unauthorized":          {fails(errors.New("Unauthorized")), 401, `"message":"Unauthorized"`},
		"an error":              {fails(errors.New("secret detail")), 500, `"message":"Internal server error"`},
		"a panic": {func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (authorization, error) {
			panic("secret")
		}, 500, `"message":"Internal server error"`},
	} {
		t.Run(name, func(t *testing.T) {
			var connected atomic.Bool
			s := serve(t, Config{Authorizer: test.authorizer, Routes: map[string]Route{
				connectRoute: {Integration: func(_ context.Context, e event) (response, error) {
					said, _ := e.RequestContext.Authorizer.(map[string]any)
					connected.Store(said["principalId"] == "alice")
					return response{StatusCode: 200}, nil
				}}}})
			status, header, body := handshake(t, s, "/", func(*http.Request) {})
			if status != test.status || !strings.Contains(body, test.body) || strings.Contains(body, "secret") {
				t.Errorf("status %d, %s; want %d, %s", status, body, test.status, test.body)
			}
			if challenged := header.Get("WWW-Authenticate") == "Bearer"; challenged != (test.status == 401) {
				t.Errorf("challenged: %v", challenged)
			}
			if connected.Load() != (test.status == 101) {
				t.Errorf("$connect invoked: %v", connected.Load())
			}
		})
	}
}

// An authorizer gets the handshake, and each later event its context, as strings.
func TestTheContextReachesEveryEvent(t *testing.T) {
	got := make(chan event, 1)
	asked := make(chan events.APIGatewayCustomAuthorizerRequestTypeRequest, 1)
	s := serve(t, Config{
		Authorizer: func(_ context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (authorization, error) {
			asked <- e
			return authorization{
				PrincipalID:    "alice",
				PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Statement: []events.IAMPolicyStatement{statement("Allow", "*", e.MethodArn)}},
				Context:        map[string]any{"user": "alice", "level": 7, "admin": false, "principalId": "eve"},
			}, nil
		},
		Routes: map[string]Route{defaultRoute: {Integration: record(got)}},
	})
	c := s.dial(t)
	e := await(t, asked)
	if e.Type != "REQUEST" || e.RequestContext.Stage != "dev" || e.RequestContext.Identity.SourceIP != "127.0.0.1" ||
		e.MultiValueHeaders["Host"] == nil || e.Headers["Host"] == "" {
		t.Errorf("asked with %+v", e)
	}
	c.send("hello")
	want := map[string]any{"principalId": "alice", "user": "alice", "level": "7", "admin": "false"}
	if e := await(t, got); !reflect.DeepEqual(e.RequestContext.Authorizer, want) {
		t.Errorf("the message has %v, want %v", e.RequestContext.Authorizer, want)
	}
	c.CloseNow()
	if e := await(t, s.gone); !reflect.DeepEqual(e.RequestContext.Authorizer, want) {
		t.Errorf("$disconnect has %v, want %v", e.RequestContext.Authorizer, want)
	}
}
