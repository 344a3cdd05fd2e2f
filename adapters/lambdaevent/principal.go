package lambdaevent

import (
	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

// principal is who made the request: no one, until the API has an authorizer that says
// otherwise in the context of each event.
func principal(events.APIGatewayWebsocketProxyRequestContext) domain.Principal {
	return domain.Principal{}
}
