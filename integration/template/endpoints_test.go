package template_test

// wrongEndpoints checks that IPv6 reaches all endpoints, that the custom domain exists if
// it has a name, and that it replaces none: workers post to the API's own endpoint, whose
// name "environment" checks.
func wrongEndpoints(t template) []string {
	const configuration = domain + "DomainNameConfigurations/0/"
	wrong := t.unmet(
		expectation{"Resources/CustomDomain/Type", `"AWS::ApiGatewayV2::DomainName"`},
		expectation{"Resources/CustomDomain/Condition", `"HasDomainName"`},
		expectation{configuration + "EndpointType", `"REGIONAL"`}, // the only type for WebSocket APIs
		expectation{configuration + "IpAddressType", `"dualstack"`},
		expectation{configuration + "SecurityPolicy", `"TLS_1_2"`},
		expectation{"Resources/CustomDomainMapping/Type", `"AWS::ApiGatewayV2::ApiMapping"`},
		expectation{"Resources/CustomDomainMapping/Condition", `"HasDomainName"`},
		expectation{mapping + "DomainName", ref("CustomDomain")},
		expectation{mapping + "ApiId", ref("WebsocketsApi")},
		expectation{mapping + "Stage", ref("WebsocketsDeploymentStage")},
		expectation{mapping + "ApiMappingKey", "null"},
		expectation{"Outputs/CustomDomainUrl/Condition", `"HasDomainName"`},
		expectation{"Outputs/CustomDomainTarget/Condition", `"HasDomainName"`},
		expectation{"Outputs/CustomDomainHostedZoneId/Condition", `"HasDomainName"`},
	)
	for id, api := range t.ofType("AWS::ApiGatewayV2::Api") {
		for _, complaint := range api.unmet(
			expectation{"Properties/IpAddressType", `"dualstack"`},
			expectation{"Properties/DisableExecuteApiEndpoint", "null"},
		) {
			wrong = append(wrong, id+": "+complaint)
		}
	}
	return wrong
}
