package template_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"serverless-websocket/adapters/lambdaevent"
)

// routes are those that have handlers and that standalone serves.
var routes = lambdaevent.UseCases{}.Routes()

// resource is the first part of the names of a function's resources.
func resource(function string) string { return strings.ToUpper(function[:1]) + function[1:] }

func wrongGateway(t template) []string {
	wrong := t.unmet(
		expectation{"Resources/WebsocketsApi/Properties/RouteSelectionExpression", `"$request.body.action"`},
		expectation{"Resources/HttpApiRouteGetPing/Properties/RouteKey", `"GET /ping"`},
		expectation{"Resources/HttpApiIntegrationPing/Properties/PayloadFormatVersion", `"2.0"`},
	)
	wrong = append(wrong, wrongRoutes(t)...)
	return append(wrong, wrongStage(t)...)
}

func wrongRoutes(t template) []string {
	var wrong []string
	responses := map[string]bool{}
	for _, response := range t.ofType("AWS::ApiGatewayV2::RouteResponse") {
		route, _ := response.at("Properties/RouteId/Ref").(string)
		responses[route] = response.text("Properties/RouteResponseKey") == `"$default"`
	}
	found := map[string]bool{}
	for id, route := range t.ofType("AWS::ApiGatewayV2::Route") {
		key, _ := route.at("Properties/RouteKey").(string)
		if key == "GET /ping" {
			continue
		}
		want, ok := routes[key]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("route %q is not known", key))
			continue
		}
		found[key] = true
		if !strings.Contains(route.text("Properties/Target"), ref(resource(want.Function)+"WebsocketsIntegration")) {
			wrong = append(wrong, fmt.Sprintf("route %s does not go to %s", key, want.Function))
		}
		selects := route.text("Properties/RouteResponseSelectionExpression") == `"$default"`
		if selects != want.Replies || responses[id] != want.Replies {
			wrong = append(wrong, fmt.Sprintf("route %s: selects a route response %v, has one %v, should %v",
				key, selects, responses[id], want.Replies))
		}
	}
	for key := range routes {
		if !found[key] {
			wrong = append(wrong, fmt.Sprintf("no route %s", key))
		}
	}
	return wrong
}

// accountBurst is how many requests API Gateway lets an account make at once. With a
// burst below the rate, a stage could never reach its rate.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const accountBurst = 5000

// accessLogFields are the minimum that each line of the access log contains.
var accessLogFields = []string{"requestId", "connectionId", "routeKey", "eventType", "status", "error"}

// accessLogVariables are the variables of a WebSocket API for access logs, except free
// text, whose quotes would break the line, and those for authorizers.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
var accessLogVariables = strings.Fields(`apiId connectedAt connectionId domainName error.responseType eventType
	extendedRequestId identity.sourceIp integration.integrationStatus integration.latency integration.requestId
	integration.status integrationLatency messageId requestId requestTime requestTimeEpoch routeKey stage status`)

func wrongStage(t template) []string {
	const path = "Resources/WebsocketsDeploymentStage/Properties/"
	wrong := t.unmet(
		expectation{path + "AccessLogSettings/DestinationArn",
			sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${WebsocketsLogGroup}")},
		// A shallow merge would lose this setting.
		expectation{path + "DefaultRouteSettings/LoggingLevel", `"OFF"`},
		expectation{path + "DefaultRouteSettings/DataTraceEnabled", "false"},
		// Without the account's role API Gateway refuses a stage that logs, so the stage
		// has to come after it.
		expectation{path + "Tags/accountLogRole", `{"Fn::If":["CreateAccountLogRole",` + ref("ApiGatewayAccount") + `,"existing"]}`},
	)
	for _, stage := range []string{path, "Resources/HttpApiStage/Properties/"} {
		rate := t.number(stage + "DefaultRouteSettings/ThrottlingRateLimit")
		burst := t.number(stage + "DefaultRouteSettings/ThrottlingBurstLimit")
		if rate < 1 || burst < rate || burst > accountBurst {
			wrong = append(wrong, fmt.Sprintf("%s: a burst of %d at a rate of %d", stage, burst, rate))
		}
	}
	format, _ := t.at(path + "AccessLogSettings/Format").(string)
	return append(wrong, wrongAccessLog(format)...)
}

func wrongAccessLog(format string) []string {
	var line map[string]string
	if err := json.Unmarshal([]byte(format), &line); err != nil {
		return []string{fmt.Sprintf("the access log is not JSON: %v", err)}
	}
	var wrong []string
	if strings.Contains(format, "\n") {
		wrong = append(wrong, "the access log's format is more than one line")
	}
	for _, field := range accessLogFields {
		if line[field] == "" {
			wrong = append(wrong, "the access log has no "+field)
		}
	}
	for field, value := range line {
		if name, ok := strings.CutPrefix(value, "$context."); !ok || !slices.Contains(accessLogVariables, name) {
			wrong = append(wrong, fmt.Sprintf("the access log's %s is %s", field, value))
		}
	}
	return wrong
}

// wrongPermissions checks that only this API can invoke a function, for its routes or as
// its authorizer.
func wrongPermissions(t template) []string {
	const api = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketsApi}/"
	wrong := t.unmet(expectation{
		"Resources/AuthorizerLambdaPermissionWebsockets/Properties/SourceArn", sub(api + "authorizers/*"),
	})
	for key, route := range routes {
		switch key { // a function has one pattern for its routes
		case "$connect", "$disconnect":
			key = "$*connect"
		case "joinRoom", "leaveRoom":
			key = "*Room"
		}
		permission := "LambdaPermissionWebsockets"
		if key == "loadMessages" { // it has no pattern in common with resume
			permission = "LambdaPermissionLoadMessages"
		}
		path := "Resources/" + resource(route.Function) + permission + "/Properties/SourceArn"
		wrong = append(wrong, t.unmet(expectation{path, sub(api + t.stage() + "/" + key)})...)
	}
	for id, permission := range t.ofType("AWS::Lambda::Permission") {
		if permission.at("Properties/SourceArn") == nil {
			wrong = append(wrong, id+" lets any API invoke the function")
		}
	}
	return wrong
}

// wrongOutputs checks that the stack outputs what a person needs to use it.
func wrongOutputs(t template) []string {
	wrong := t.unmet(
		expectation{"Outputs/ManagementEndpoint/Value", valueOf("MANAGEMENT_ENDPOINT", t.stage())},
		expectation{"Outputs/ConnectionsTableName/Value", ref("ConnectionsTable")},
		expectation{"Outputs/SubscriptionsTableName/Value", ref("SubscriptionsTable")},
		expectation{"Outputs/LogsTableName/Value", ref("LogsTable")},
		expectation{"Outputs/LogsTableName/Condition", `"HasHistory"`},
		expectation{"Outputs/ConversationsTableName/Value", ref("ConversationsTable")},
		expectation{"Outputs/ConversationsTableName/Condition", `"HasHistory"`},
		expectation{"Outputs/ChannelsQueueUrl/Value", ref("ChannelsQueue")},
		expectation{"Outputs/ChannelsQueueArn/Value", arn("ChannelsQueue")},
		expectation{"Outputs/JobsQueueUrl/Value", ref("JobsQueue")},
		expectation{"Outputs/PartsQueueUrl/Value", ref("PartsQueue")},
		expectation{"Outputs/RetriesQueueUrl/Value", ref("RetriesQueue")},
		expectation{"Outputs/DeadLetterQueueUrl/Value", ref("DeadLetterQueue")},
		expectation{"Outputs/JobsQueueArn/Value", arn("JobsQueue")},
		expectation{"Outputs/PartsQueueArn/Value", arn("PartsQueue")},
		expectation{"Outputs/RetriesQueueArn/Value", arn("RetriesQueue")},
		expectation{"Outputs/DeadLetterQueueArn/Value", arn("DeadLetterQueue")},
		expectation{"Outputs/CustomDomainUrl/Value", text("wss://" + shared.packages[t.stage()].settings()["domainName"])},
		expectation{"Outputs/CustomDomainTarget/Value", attribute("CustomDomain", "RegionalDomainName")},
		expectation{"Outputs/CustomDomainHostedZoneId/Value", attribute("CustomDomain", "RegionalHostedZoneId")},
	)
	for name, part := range map[string]string{"ServiceEndpointWebsocket": "wss://", "HttpApiUrl": "https://"} {
		if !strings.Contains(t.text("Outputs/"+name), part) {
			wrong = append(wrong, fmt.Sprintf("no output %s with a %s URL", name, part))
		}
	}
	return wrong
}
