package stacklocal

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// route is a route of an API and what it invokes.
type route struct {
	key      string // as in "sendMessage" and "GET /ping"
	function string // its name
	response bool   // what the function returns goes to the client
	// authorizer decides who may use it; nil lets everyone.
	authorizer *authorizer
}

// routesOf returns the routes of an API. It fails if one leads nowhere, or to a function
// that the API may not invoke.
func (p *plan) routesOf(api string) (routes []route, err error) {
	for _, id := range slices.Sorted(maps.Keys(p.routes)) {
		r := p.routes[id]
		if r.APIID != api {
			continue
		}
		function, err := p.target(r)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.RouteKey, err)
		}
		authorizer, err := p.authorizerOf(r)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.RouteKey, err)
		}
		routes = append(routes, route{r.RouteKey, function, p.responds(id), authorizer})
	}
	return routes, nil
}

var functionARN = regexp.MustCompile(`arn:[a-z-]+:lambda:[a-z0-9-]+:\d+:function:[A-Za-z0-9_-]+`)

// target returns the name of the function that the route invokes.
func (p *plan) target(r routeProperties) (string, error) {
	id, _ := strings.CutPrefix(r.Target, "integrations/")
	integration, ok := p.integrations[id]
	if !ok || integration.APIID != r.APIID {
		return "", fmt.Errorf("its API has no integration %q", id)
	}
	if err := p.checkIntegration(integration); err != nil {
		return "", err
	}
	key := strings.Replace(r.RouteKey, " ", "", 1) // GET /ping becomes GET/ping
	return p.functionAt(integration.IntegrationURI, r.APIID, p.stages[r.APIID].StageName+"/"+key)
}

// functionAt returns the name of the function at a URI, which the API invokes for what is
// at the path of the API's ARN: a route or an authorizer.
func (p *plan) functionAt(uri, api, path string) (string, error) {
	arn := functionARN.FindString(uri)
	if _, ok := p.functions[nameOf(arn)]; !ok {
		return "", fmt.Errorf("there is no function at %s", uri)
	}
	if !p.permits(arn, executeARN(arn, api, path)) {
		return "", fmt.Errorf("the API has no permission to invoke %s for it", arn)
	}
	return nameOf(arn), nil
}

func (p *plan) checkIntegration(i integrationProperties) error {
	if i.IntegrationType != "AWS_PROXY" {
		return fmt.Errorf("an integration of type %s is not served", i.IntegrationType)
	}
	if p.apis[i.APIID].ProtocolType == "HTTP" && i.PayloadFormatVersion != "2.0" {
		return fmt.Errorf("events of version %q are not supported", i.PayloadFormatVersion)
	}
	return nil
}

// permits reports whether API Gateway may invoke the function from the ARN.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func (p *plan) permits(function, from string) bool {
	for _, permission := range p.permissions {
		if permission.FunctionName == function && permission.Action == "lambda:InvokeFunction" &&
			permission.Principal == "apigateway.amazonaws.com" && covers(permission.SourceARN, from) {
			return true
		}
	}
	return false
}

// executeARN is the ARN with which API Gateway invokes the function for what is at the
// path.
func executeARN(function, api, path string) string {
	parts := strings.Split(function, ":") // arn, partition, lambda, region, account, …
	parts[2] = "execute-api"
	return strings.Join(parts[:5], ":") + ":" + api + "/" + path
}

// covers reports whether the ARN matches the pattern, in which * stands for anything and
// ? for one character; an empty pattern matches every ARN.
func covers(pattern, arn string) bool {
	if pattern == "" {
		return true
	}
	quoted := regexp.QuoteMeta(pattern)
	expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`^` + expression + `$`).MatchString(arn)
}

// responds reports whether the route has a response. On AWS that requires the expression
// and a resource.
func (p *plan) responds(routeID string) bool {
	if p.routes[routeID].RouteResponseSelectionExpression != "$default" {
		return false
	}
	for _, response := range p.responses {
		if response.RouteID == routeID && response.RouteResponseKey == "$default" {
			return true
		}
	}
	return false
}
