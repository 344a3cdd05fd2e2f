package template_test

import (
	"fmt"
	"strings"
	"testing"
)

// wrongAuthorizer checks that with auth=jwt there is one authorizer, for $connect alone,
// and otherwise none.
func wrongAuthorizer(t template) []string {
	var wrong []string
	want, jwt := 0, shared.packages[t.stage()].settings()["auth"] == "jwt"
	if jwt {
		want = 1
		wrong = wrongRequestAuthorizer(t)
	}
	if all := t.ofType("AWS::ApiGatewayV2::Authorizer"); len(all) != want {
		wrong = append(wrong, fmt.Sprintf("%d authorizers, not %d", len(all), want))
	}
	for _, route := range t.ofType("AWS::ApiGatewayV2::Route") {
		key, _ := route.at("Properties/RouteKey").(string)
		authorization, id := "NONE", "null"
		if jwt && key == "$connect" {
			authorization, id = "CUSTOM", ref("AuthorizerWebsocketsAuthorizer")
		}
		// HTTP APIs have no authorization by default.
		got, has := route.at("Properties/AuthorizationType").(string)
		if has && got != authorization || !has && authorization != "NONE" || route.text("Properties/AuthorizerId") != id {
			wrong = append(wrong, fmt.Sprintf("route %s has the authorization %s by %s", key, got, route.text("Properties/AuthorizerId")))
		}
	}
	return wrong
}

// wrongRequestAuthorizer checks the authorizer's properties. API Gateway refuses every
// handshake that lacks an identity source, and osls sets one that clients do not send.
func wrongRequestAuthorizer(t template) []string {
	const path = "Resources/AuthorizerWebsocketsAuthorizer/Properties/"
	wrong := t.unmet(
		expectation{path + "ApiId", ref("WebsocketsApi")},
		expectation{path + "AuthorizerType", `"REQUEST"`},
		expectation{path + "IdentitySource", `["route.request.header.Host"]`},
	)
	if uri := t.text(path + "AuthorizerUri"); !strings.Contains(uri, arn("AuthorizerLambdaFunction")) {
		wrong = append(wrong, "the authorizer is at "+uri)
	}
	return wrong
}

// The stage prod is packaged with auth=jwt.
func TestAuthorizerCheckCanFail(t *testing.T) {
	pristine := packages(t)["prod"].template
	const path, route = "Resources/AuthorizerWebsocketsAuthorizer", "Resources/SconnectWebsocketsRoute/Properties/"
	for _, m := range []mutation{
		{path: path, want: "0 authorizers, not 1"},
		{path: path + "/Properties/IdentitySource/0", value: "route.request.header.Auth", want: "IdentitySource"},
		{path: path + "/Properties/IdentitySource", want: "IdentitySource"},
		{path: path + "/Properties/AuthorizerType", value: "JWT", want: "AuthorizerType"},
		{path: path + "/Properties/ApiId/Ref", value: "HttpApi", want: "ApiId"},
		{path: path + "/Properties/AuthorizerUri", value: "elsewhere", want: "at \"elsewhere\""},
		{path: route + "AuthorizationType", value: "NONE", want: "route $connect has the authorization NONE"},
		{path: route + "AuthorizationType", want: "route $connect has the authorization"},
		{path: route + "AuthorizerId", want: "by null"},
		{path: "Resources/sendMessageWebsocketsRoute/Properties/AuthorizationType", value: "CUSTOM", want: "route sendMessage"},
	} {
		changed := parseTemplate(t, []byte(text(pristine)))
		changed.set(t, m.path, m.value)
		if found := strings.Join(wrongAuthorizer(changed), "\n"); !strings.Contains(found, m.want) {
			t.Errorf("%s = %v: got %q, want a complaint with %q", m.path, m.value, found, m.want)
		}
	}
}
