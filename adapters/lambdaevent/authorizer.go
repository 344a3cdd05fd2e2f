package lambdaevent

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/internal/origin"
	"serverless-websocket/domain"
)

// Origins are the origins whose pages may connect, each as a browser sends it, such as
// "https://example.com". "https://*.example.com" matches all names below example.com, and
// "*" any origin. Clients that send none are always allowed.
type Origins = origin.List

// maxToken is the longest token that is looked at, in bytes. Its context must fit the
// 8 KB of an authorizer's result.
const maxToken = 3500

// bearer is the subprotocol that announces a token beside it.
const bearer = "bearer"

// ErrUnauthorized is the error that API Gateway answers with 401.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
var ErrUnauthorized = errors.New("Unauthorized")

// Authorizer handles the handshakes of an API that requires tokens.
type Authorizer struct {
	// Verify returns whom a token was issued to. It is called concurrently.
	Verify func(ctx context.Context, token string) (domain.Principal, error)
	// Challenge answers a handshake without a token with ErrUnauthorized, so with 401.
	// As a Lambda function it must not: there the error counts as one of the function.
	Challenge bool
	// Origins restricts browsers to the pages of these; empty Origins allow any.
	Origins Origins
	Log     *slog.Logger
}

// Handle allows a handshake with a valid token, and passes the principal on in the
// context. Without Challenge its error is always nil. No token is ever logged.
func (h *Authorizer) Handle(ctx context.Context, event events.APIGatewayCustomAuthorizerRequestTypeRequest) (
	events.APIGatewayCustomAuthorizerResponse, error) {
	found := tokens(event)
	if len(found) == 0 && h.Challenge {
		return events.APIGatewayCustomAuthorizerResponse{}, ErrUnauthorized
	}
	p, err := h.verify(ctx, header(event.MultiValueHeaders, "Origin"), found)
	if err != nil {
		h.Log.InfoContext(ctx, "handshake refused", "reason", err.Error(), "sourceIp", event.RequestContext.Identity.SourceIP)
		return policy("Deny", "nobody", event.MethodArn, nil), nil
	}
	return policy("Allow", p.User, event.MethodArn, contextOf(p)), nil
}

func (h *Authorizer) verify(ctx context.Context, origins, found []string) (domain.Principal, error) {
	switch {
	case !h.allows(origins):
		return domain.Principal{}, errors.New("the page's origin is not allowed")
	case len(found) == 0:
		return domain.Principal{}, errors.New("no token")
	case len(found) > 1:
		return domain.Principal{}, errors.New("more than one token")
	case len(found[0]) > maxToken:
		return domain.Principal{}, errors.New("the token is too long")
	}
	return h.Verify(ctx, found[0])
}

// allows reports whether a client with these origins may connect: only browsers send one.
func (h *Authorizer) allows(origins []string) bool {
	return len(h.Origins) == 0 || len(origins) == 0 || len(origins) == 1 && h.Origins.Has(origins[0])
}

func policy(effect, principal, arn string, values map[string]any) events.APIGatewayCustomAuthorizerResponse {
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: principal,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version:   "2012-10-17",
			Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{arn}}},
		},
		Context: values,
	}
}

// tokens returns the tokens of a handshake: of the header Authorization, of the
// subprotocol after "bearer", which is what a browser can send, and of the query.
func tokens(event events.APIGatewayCustomAuthorizerRequestTypeRequest) (found []string) {
	for _, value := range header(event.MultiValueHeaders, "Authorization") {
		if scheme, token, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, bearer) {
			found = append(found, strings.TrimSpace(token))
		}
	}
	if offered := subprotocols(event.MultiValueHeaders); offersBearer(offered) && len(offered) > 1 {
		found = append(found, offered[1])
	}
	return append(found, event.MultiValueQueryStringParameters["token"]...)
}

// subprotocols returns the subprotocols that a handshake offers, in order.
func subprotocols(headers map[string][]string) (offered []string) {
	for _, value := range header(headers, subprotocolHeader) {
		for one := range strings.SplitSeq(value, ",") {
			offered = append(offered, strings.TrimSpace(one))
		}
	}
	return offered
}

// header returns the values of a header, whose name can have any case.
func header(headers map[string][]string, name string) (all []string) {
	for other, values := range headers {
		if strings.EqualFold(other, name) {
			all = append(all, values...)
		}
	}
	return all
}

const subprotocolHeader = "Sec-WebSocket-Protocol"

// offersBearer reports whether a token follows as the next subprotocol.
func offersBearer(offered []string) bool { return len(offered) > 0 && offered[0] == bearer }
