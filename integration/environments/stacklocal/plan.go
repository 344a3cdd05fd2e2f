package stacklocal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"serverless-websocket/integration/environments/cloudformation"
)

// plan is the part of a stack that runs here. The keys are physical ids; for functions,
// queues and roles, without the part before the name.
type plan struct {
	roles        map[string]roleProperties
	tables       map[string]tableProperties
	queues       map[string]queueProperties
	queueURLs    map[string]string // of queues, on AWS
	functions    map[string]functionProperties
	sources      map[string]sourceProperties
	permissions  map[string]permissionProperties
	apis         map[string]apiProperties
	stages       map[string]stageProperties // by the APIs' ids
	deployments  map[string]deploymentProperties
	integrations map[string]integrationProperties
	authorizers  map[string]authorizerProperties
	routes       map[string]routeProperties
	responses    map[string]responseProperties
}

// without lists the types that make no difference here, with the reasons.
var without = map[string]string{
	"AWS::ApiGateway::Account":   "the role with which API Gateway logs",
	"AWS::CloudWatch::Alarm":     "no one watches",
	"AWS::Logs::LogGroup":        "log lines go to the test",
	"AWS::Logs::MetricFilter":    "no one watches",
	"AWS::Logs::QueryDefinition": "it is for people",
	"AWS::S3::Bucket":            "it holds the zip files",
	"AWS::S3::BucketPolicy":      "it holds the zip files",
	"AWS::SNS::Subscription":     "no one watches",
	"AWS::SNS::Topic":            "no one watches",
	"AWS::SQS::QueuePolicy":      "it refuses requests without TLS, but the SQS server has no TLS",
}

// read reads the stack with the overrides applied, and checks its references.
func read(deployed *cloudformation.Stack, overrides map[string]any) (*plan, error) {
	p := &plan{queueURLs: make(map[string]string)}
	overrides = maps.Clone(overrides)
	for _, id := range slices.Sorted(maps.Keys(deployed.Resources)) {
		r := deployed.Resources[id]
		properties, err := override(r, overrides)
		if err == nil {
			err = p.add(r, properties)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, of type %s: %w", id, r.Type, err)
		}
	}
	for path := range overrides {
		return nil, fmt.Errorf("nothing to override at %s", path)
	}
	return p, p.check()
}

// add keeps a resource by its type.
func (p *plan) add(r cloudformation.Resource, properties []byte) error {
	name := nameOf(r.PhysicalID)
	switch r.Type {
	case "AWS::IAM::Role":
		return keep(&p.roles, name, properties)
	case "AWS::DynamoDB::Table":
		return keep(&p.tables, name, properties)
	case "AWS::SQS::Queue":
		p.queueURLs[name] = r.PhysicalID
		return keep(&p.queues, name, properties)
	case "AWS::Lambda::Function":
		return keep(&p.functions, name, properties)
	case "AWS::Lambda::EventSourceMapping":
		return keep(&p.sources, r.LogicalID, properties)
	case "AWS::Lambda::Permission":
		return keep(&p.permissions, r.LogicalID, properties)
	case "AWS::ApiGatewayV2::Api":
		return keep(&p.apis, name, properties)
	case "AWS::ApiGatewayV2::Stage":
		api, _ := r.Properties["ApiId"].(string)
		return keep(&p.stages, api, properties)
	case "AWS::ApiGatewayV2::Deployment":
		return keep(&p.deployments, name, properties)
	case "AWS::ApiGatewayV2::Integration":
		return keep(&p.integrations, name, properties)
	case "AWS::ApiGatewayV2::Authorizer":
		return keep(&p.authorizers, name, properties)
	case "AWS::ApiGatewayV2::Route":
		return keep(&p.routes, name, properties)
	case "AWS::ApiGatewayV2::RouteResponse":
		return keep(&p.responses, r.LogicalID, properties)
	}
	if _, ok := without[r.Type]; !ok {
		return fmt.Errorf("the type has no counterpart here, and is not listed as needing none")
	}
	return nil
}

// keep decodes the properties; unknown ones are an error.
func keep[P any](all *map[string]P, key string, properties []byte) error {
	if *all == nil {
		*all = make(map[string]P)
	}
	if _, ok := (*all)[key]; ok {
		return fmt.Errorf("there is another %q", key)
	}
	decoder := json.NewDecoder(bytes.NewReader(properties))
	decoder.DisallowUnknownFields()
	var decoded P
	if err := decoder.Decode(&decoded); err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	(*all)[key] = decoded
	return nil
}

// override returns the resource's properties as JSON with its overrides applied, and
// removes these from the map.
func override(r cloudformation.Resource, overrides map[string]any) ([]byte, error) {
	source, err := json.Marshal(r.Properties)
	if err != nil {
		return nil, err
	}
	properties := make(map[string]any)
	if err := json.Unmarshal(source, &properties); err != nil {
		return nil, err
	}
	for path, value := range overrides {
		if elements := strings.Split(path, "/"); elements[0] == r.LogicalID {
			set(properties, elements[1:], value)
			delete(overrides, path)
		}
	}
	return json.Marshal(properties)
}

// set sets the value at the path, and creates missing objects.
func set(properties map[string]any, path []string, value any) {
	if len(path) == 1 {
		properties[path[0]] = value
		return
	}
	child, ok := properties[path[0]].(map[string]any)
	if !ok {
		child = make(map[string]any)
		properties[path[0]] = child
	}
	set(child, path[1:], value)
}

// nameOf returns the name at the end of an ARN, a URL or a path.
func nameOf(reference string) string {
	return reference[strings.LastIndexAny(reference, ":/")+1:]
}
