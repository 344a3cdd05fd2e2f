package stacklocal

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/integration/environments/lambdalocal"
)

// authorizer is the function that decides who may connect to an API.
type authorizer struct {
	function string // its name
	sources  []identitySource
}

// authorizerOf returns the authorizer of a route, or nil if it has none. It fails if the
// API may not invoke the function, or could not on AWS.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
func (p *plan) authorizerOf(r routeProperties) (*authorizer, error) {
	switch r.AuthorizationType {
	case "", "NONE":
		return nil, nil
	case "CUSTOM":
	default:
		return nil, fmt.Errorf("authorization %s is not served", r.AuthorizationType)
	}
	a, ok := p.authorizers[r.AuthorizerID]
	if !ok || a.APIID != r.APIID {
		return nil, fmt.Errorf("its API has no authorizer %q", r.AuthorizerID)
	}
	if r.RouteKey != "$connect" || a.AuthorizerType != "REQUEST" {
		return nil, fmt.Errorf("an authorizer of type %s; only $connect can have one, of type REQUEST", a.AuthorizerType)
	}
	function, err := p.functionAt(a.AuthorizerURI, r.APIID, "authorizers/"+r.AuthorizerID)
	if err != nil {
		return nil, err
	}
	sources, err := parseSources(a.IdentitySource)
	return &authorizer{function, sources}, err
}

// identitySource is a part of a handshake without which the authorizer is not asked.
type identitySource struct{ kind, name string }

func parseSources(texts []string) (sources []identitySource, err error) {
	for _, text := range texts {
		rest, _ := strings.CutPrefix(text, "route.request.")
		kind, name, _ := strings.Cut(rest, ".")
		if kind != "header" && kind != "querystring" || name == "" {
			return nil, fmt.Errorf("the identity source %q is not supported", text)
		}
		sources = append(sources, identitySource{kind, name})
	}
	return sources, nil
}

func (s identitySource) in(event events.APIGatewayCustomAuthorizerRequestTypeRequest) bool {
	if s.kind == "querystring" {
		return event.QueryStringParameters[s.name] != ""
	}
	for name, value := range event.Headers {
		if strings.EqualFold(name, s.name) && value != "" {
			return true
		}
	}
	return false
}

// guard answers 401 to a handshake that lacks an identity source, and passes others on.
func (a authorizer) guard(next wsgateway.Authorizer) wsgateway.Authorizer {
	return func(ctx context.Context, event events.APIGatewayCustomAuthorizerRequestTypeRequest) (
		events.APIGatewayCustomAuthorizerResponse, error) {
		for _, source := range a.sources {
			if !source.in(event) {
				return events.APIGatewayCustomAuthorizerResponse{}, lambdaevent.ErrUnauthorized
			}
		}
		return next(ctx, event)
	}
}

func authorizerIntegration(f *lambdalocal.Function) wsgateway.Authorizer {
	return func(ctx context.Context, event events.APIGatewayCustomAuthorizerRequestTypeRequest) (
		events.APIGatewayCustomAuthorizerResponse, error) {
		return call[events.APIGatewayCustomAuthorizerRequestTypeRequest, events.APIGatewayCustomAuthorizerResponse](ctx, f, event)
	}
}
