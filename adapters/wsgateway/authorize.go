package wsgateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

// Authorizer decides on a handshake before $connect runs: a Lambda authorizer of the type
// REQUEST, or a client of one. Like an Integration, it is called concurrently and gets a
// context that ends after Config.IntegrationTimeout. The handshake answers 403 if the
// policy does not allow it, 401 for the error "Unauthorized", and 500 for any other
// error, which is logged.
//
// The context of the response reaches every later event of the connection, with all
// values as strings.
type Authorizer func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (
	events.APIGatewayCustomAuthorizerResponse, error)

// expiryJitter is how long after its authorization a connection ends at the latest.
const expiryJitter = 10 * time.Second

// unauthorized is the text of the error that API Gateway answers with 401.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
const unauthorized = "Unauthorized"

// authorize asks the authorizer, if there is one, before $connect gets the event.
func (u *upgrade) authorize(event events.APIGatewayWebsocketProxyRequest) {
	if u.g.cfg.Authorizer == nil {
		u.connect(event)
		return
	}
	kept := event // or it would be on the heap without an authorizer, too
	u.g.calls.enter()
	attempt(u.g, u.g.cfg.Authorizer, u.c.authorizerEvent(event), func(answer events.APIGatewayCustomAuthorizerResponse, err error) {
		u.g.calls.leave()
		if refused := u.authorized(answer, err); refused != nil {
			u.refuse(*refused)
		} else {
			u.connect(kept)
		}
	})
}

// authorized applies the authorizer's answer.
func (u *upgrade) authorized(answer events.APIGatewayCustomAuthorizerResponse, err error) *refusal {
	var refused refusal
	switch {
	case err != nil && err.Error() == unauthorized:
		refused = u.refusal(http.StatusUnauthorized, "Unauthorized")
	case err != nil:
		u.failed(fmt.Errorf("authorizer: %w", err))
		refused = u.refusal(http.StatusInternalServerError, "Internal server error")
	case !allows(answer.PolicyDocument.Statement, connectARN(u.g.cfg.Stage)):
		refused = u.refusal(http.StatusForbidden, "Forbidden")
	default:
		u.c.authorize(answer)
		return nil
	}
	return &refused
}

// authorize records what the authorizer said.
func (c *conn) authorize(answer events.APIGatewayCustomAuthorizerResponse) {
	authorizer := map[string]any{}
	for key, value := range answer.Context {
		authorizer[key] = fmt.Sprint(value)
	}
	authorizer["principalId"] = answer.PrincipalID
	c.authorizer = authorizer
	c.authorizeUntil(c.g.cfg.AuthorizedUntil(authorizer))
}

// authorizeUntil has the connection end with its authorization; never by itself if that
// is zero. The caller holds c.mu, or no one else knows the connection yet.
func (c *conn) authorizeUntil(end time.Time) {
	c.until, c.byToken = c.lifetime(), false
	if !end.IsZero() && end.Before(c.until) {
		c.until, c.byToken = end.Add(rand.N(expiryJitter)), true
	}
}

// Renew changes when the authorization of a connection ends; see Config.AuthorizedUntil.
// A connection that the gateway does not know any more stays closed.
func (g *Gateway) Renew(id domain.ConnectionID, end time.Time) {
	c := g.find(id)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.authorizeUntil(end)
	if t := c.expiry(); c.expires != nil {
		c.expired = false
		c.expires.Reset(time.Until(t))
	}
	if !c.closing && !c.readBy.IsZero() && c.until.Before(c.readBy) {
		c.setReadBy(c.until)
	}
}

// allows evaluates a policy: a matching Deny wins, and without a matching Allow the
// answer is no.
func allows(statements []events.IAMPolicyStatement, arn string) bool {
	allowed := false
	for _, s := range statements {
		if !slices.ContainsFunc(s.Action, isInvoke) || !slices.ContainsFunc(s.Resource, func(pattern string) bool { return covers(pattern, arn) }) {
			continue
		}
		if s.Effect != "Allow" {
			return false
		}
		allowed = true
	}
	return allowed
}

func isInvoke(action string) bool {
	const invoke = "execute-api:invoke"
	return strings.EqualFold(action, invoke) || covers(strings.ToLower(action), invoke)
}

// covers reports whether a resource in a policy covers the ARN. A * stands for any
// characters, slashes too.
func covers(pattern, arn string) bool {
	if !strings.ContainsAny(pattern, `*?`) {
		return pattern == arn
	}
	const slash = "\x00" // for path.Match, whose * ends at one
	literal := strings.NewReplacer("/", slash, `\`, `\\`, "[", `\[`)
	ok, err := path.Match(literal.Replace(pattern), strings.ReplaceAll(arn, "/", slash))
	return ok && err == nil
}

// connectARN is what a policy has to allow.
func connectARN(stage string) string {
	return "arn:aws:execute-api:local:000000000000:" + apiID + "/" + stage + "/" + connectRoute
}

// authorizerEvent returns the handshake as API Gateway sends it to an authorizer.
func (c *conn) authorizerEvent(connect events.APIGatewayWebsocketProxyRequest) events.APIGatewayCustomAuthorizerRequestTypeRequest {
	event := events.APIGatewayCustomAuthorizerRequestTypeRequest{
		Type:                            "REQUEST",
		MethodArn:                       connectARN(c.g.cfg.Stage),
		Headers:                         connect.Headers,
		MultiValueHeaders:               connect.MultiValueHeaders,
		QueryStringParameters:           connect.QueryStringParameters,
		MultiValueQueryStringParameters: connect.MultiValueQueryStringParameters,
	}
	event.RequestContext.Stage = c.g.cfg.Stage
	event.RequestContext.APIID = apiID
	event.RequestContext.RequestID = connect.RequestContext.RequestID
	event.RequestContext.Identity.SourceIP = c.sourceIP
	return event
}
