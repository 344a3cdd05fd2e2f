package lambdaevent

import (
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

// The members of the authorizer's context. API Gateway passes their values as strings
// with every event of a connection.
const (
	userKey      = "user"
	scopeKey     = "scope"
	expiresAtKey = "expiresAt" // Unix time in seconds
)

// AuthorizedUntil returns when the token of a connection expires, by its authorizer's
// context; zero for never. An expiry that cannot be read has passed.
func AuthorizedUntil(authorizer map[string]any) time.Time {
	value, ok := authorizer[expiresAtKey]
	if !ok {
		return time.Time{}
	}
	text, _ := value.(string)
	seconds, _ := strconv.ParseInt(text, 10, 64) // 1970 if it fails
	return time.Unix(seconds, 0)
}

// principal returns who made the request, as the authorizer said when the connection
// opened. Without an authorizer no one is signed in.
func principal(request events.APIGatewayWebsocketProxyRequestContext) domain.Principal {
	authorizer, _ := request.Authorizer.(map[string]any)
	var p domain.Principal
	p.User, _ = authorizer[userKey].(string)
	if claim, ok := authorizer[scopeKey].(string); ok {
		p.Scope = domain.NewScope(claim)
	}
	p.ExpiresAt = AuthorizedUntil(authorizer)
	return p
}

// contextOf returns the context from which principal reads.
func contextOf(p domain.Principal) map[string]any {
	values := map[string]any{userKey: p.User}
	if claim, ok := p.Scope.Claim(); ok {
		values[scopeKey] = claim
	}
	if !p.ExpiresAt.IsZero() {
		values[expiresAtKey] = strconv.FormatInt(p.ExpiresAt.Unix(), 10)
	}
	return values
}
