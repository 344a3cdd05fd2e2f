package cloudformation

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"os"
	"strings"
)

// kind is what is known about a resource type. In the texts, ${Name} stands for the
// resource's name, ${Path} for a role's path, and ${AWS::…} for pseudo parameters.
type kind struct {
	name       string            // the property that names the resource, if any
	id         string            // what Ref returns; the name, if empty
	attributes map[string]string // what GetAtt returns
	rename     func(generated string) string
}

// kinds are from the "Return values" of each type in the CloudFormation template
// reference. For other types, Ref returns a generated id.
var kinds = map[string]kind{
	"AWS::ApiGatewayV2::Api": {rename: apiID, attributes: map[string]string{
		"ApiId":       "${Name}",
		"ApiEndpoint": "https://${Name}.execute-api.${AWS::Region}.${AWS::URLSuffix}",
	}},
	"AWS::ApiGatewayV2::DomainName": {name: "DomainName", attributes: map[string]string{
		"RegionalDomainName":   "d-${Name}.execute-api.${AWS::Region}.${AWS::URLSuffix}",
		"RegionalHostedZoneId": "Z0123456789",
	}},
	"AWS::ApiGatewayV2::Stage": {name: "StageName"},
	"AWS::CloudWatch::Alarm": {name: "AlarmName", attributes: map[string]string{
		"Arn": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${Name}",
	}},
	"AWS::DynamoDB::Table": {name: "TableName", attributes: map[string]string{
		"Arn": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Name}",
	}},
	"AWS::IAM::Role": {name: "RoleName", attributes: map[string]string{
		"Arn": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role${Path}${Name}",
	}},
	"AWS::Lambda::Function": {name: "FunctionName", attributes: map[string]string{
		"Arn": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Name}",
	}},
	"AWS::Logs::LogGroup": {name: "LogGroupName", attributes: map[string]string{
		"Arn": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Name}:*",
	}},
	"AWS::S3::Bucket": {name: "BucketName", rename: strings.ToLower, attributes: map[string]string{
		"Arn":        "arn:${AWS::Partition}:s3:::${Name}",
		"DomainName": "${Name}.s3.${AWS::URLSuffix}",
	}},
	"AWS::SNS::Topic": {name: "TopicName",
		id: "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${Name}",
		attributes: map[string]string{
			"TopicArn":  "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${Name}",
			"TopicName": "${Name}",
		}},
	"AWS::SQS::Queue": {name: "QueueName",
		id: "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/${Name}",
		attributes: map[string]string{
			"Arn":       "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Name}",
			"QueueName": "${Name}",
			"QueueUrl":  "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/${Name}",
		}},
}

// maxReadable keeps generated names within the 63 bytes of a bucket's name, the lowest
// limit of all types.
const maxReadable = 50

// physicalID returns the result of Ref for the resource at the place.
func (r *resolver) physicalID(at place) (string, error) {
	if id, ok := r.ids[at.id]; ok {
		return id, nil
	}
	resourceType := r.Resources[at.id].Type
	if r.env.PhysicalID != nil {
		if id := r.env.PhysicalID(at.id, resourceType); id != "" {
			r.ids[at.id] = id
			return id, nil
		}
	}
	name, err := r.name(at)
	if err != nil {
		return "", err
	}
	id := name
	if pattern := kinds[resourceType].id; pattern != "" {
		id = r.fill(pattern, at.id, name)
	}
	r.ids[at.id] = id
	return id, nil
}

// name returns the resource's name from its properties, or a generated one.
func (r *resolver) name(at place) (string, error) {
	declared := r.Resources[at.id]
	known := kinds[declared.Type]
	if given, ok := declared.Properties[known.name]; ok {
		if r.open["name of "+at.id] {
			return "", at.error(ErrCircular, "its name refers to itself")
		}
		r.open["name of "+at.id] = true
		defer delete(r.open, "name of "+at.id)
		return r.text(at.child("Properties/"+known.name), given)
	}
	readable := r.env.StackName + "-" + at.id
	generated := readable[:min(len(readable), maxReadable)] + "-" + digest(r.env.Region, r.env.StackName, at.id)
	if known.rename != nil {
		return known.rename(generated), nil
	}
	return generated, nil
}

// attribute returns the result of GetAtt.
func (r *resolver) attribute(at place, id, attribute string) (string, error) {
	resourceType := r.Resources[id].Type
	if r.env.Attribute != nil {
		if value, ok := r.env.Attribute(id, resourceType, attribute); ok {
			return value, nil
		}
	}
	pattern, ok := kinds[resourceType].attributes[attribute]
	if !ok {
		return "", at.error(ErrUnknownReference, "%s, of type %s, has no attribute %s", id, resourceType, attribute)
	}
	physicalID, err := r.physicalID(place{section: "Resources", id: id})
	if err != nil {
		return "", err
	}
	name := physicalID
	if kinds[resourceType].id != "" { // a URL or an ARN that ends in the name
		name = physicalID[strings.LastIndexAny(physicalID, "/:")+1:]
	}
	return r.fill(pattern, id, name), nil
}

func (r *resolver) fill(pattern, id, name string) string {
	return os.Expand(pattern, func(variable string) string {
		switch variable {
		case "Name":
			return name
		case "Path":
			path, _ := r.Resources[id].Properties["Path"].(string)
			return orElse(path, "/")
		}
		value, _ := r.pseudo(variable)
		return value
	})
}

// pseudo returns the value of a pseudo parameter.
func (r *resolver) pseudo(name string) (string, bool) {
	switch name {
	case "AWS::Region":
		return r.env.Region, true
	case "AWS::AccountId":
		return r.env.AccountID, true
	case "AWS::Partition":
		return r.env.Partition, true
	case "AWS::URLSuffix":
		return r.env.URLSuffix, true
	case "AWS::StackName":
		return r.env.StackName, true
	case "AWS::StackId":
		return fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/%s", r.env.Partition, r.env.Region,
			r.env.AccountID, r.env.StackName, digest(r.env.StackName)), true
	}
	return "", false
}

// digest is twelve letters and digits, the same each time.
func digest(of ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(of, "\x00")))
	return base32.StdEncoding.EncodeToString(sum[:])[:12]
}

// apiID shortens a name to the form of an API id.
func apiID(generated string) string { return strings.ToLower(digest(generated)[:10]) }
