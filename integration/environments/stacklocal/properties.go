package stacklocal

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// scalar is a text, a number or a boolean; CloudFormation converts between them.
type scalar string

func (s *scalar) UnmarshalJSON(source []byte) error {
	if strings.HasPrefix(string(source), `"`) {
		return json.Unmarshal(source, (*string)(s))
	}
	*s = scalar(source)
	return nil
}

// number is a scalar that is a whole number.
type number int

func (n *number) UnmarshalJSON(source []byte) error {
	i, err := strconv.Atoi(strings.Trim(string(source), `"`))
	*n = number(i)
	return err
}

func (n number) seconds() time.Duration { return time.Duration(n) * time.Second }

// unused is a property that makes no difference here.
type unused = json.RawMessage

type roleProperties struct {
	Policies []policy
	// Services of AWS take no roles here, and managed policies allow nothing.
	RoleName, Path, AssumeRolePolicyDocument, ManagedPolicyArns, PermissionsBoundary, Tags unused
}

type policy struct {
	PolicyName     string
	PolicyDocument struct {
		Version   string
		Statement []statement
	}
}

type statement struct {
	Effect           string
	Action, Resource texts
}

type tableProperties struct {
	BillingMode             string
	AttributeDefinitions    []struct{ AttributeName, AttributeType string }
	KeySchema               []struct{ AttributeName, KeyType string }
	TimeToLiveSpecification struct {
		AttributeName string
		Enabled       bool
	}
	// The table gets a generated name, is not encrypted, and ends with the test.
	TableName, SSESpecification, DeletionProtectionEnabled, Tags unused
}

type queueProperties struct {
	VisibilityTimeout, MessageRetentionPeriod, MaximumMessageSize, DelaySeconds, ReceiveMessageWaitTimeSeconds scalar
	SqsManagedSseEnabled                                                                                       scalar
	RedrivePolicy                                                                                              *struct {
		DeadLetterTargetARN string `json:"deadLetterTargetArn"`
		MaxReceiveCount     number `json:"maxReceiveCount"`
	}
	QueueName, Tags unused // the queue gets a generated name
}

type functionProperties struct {
	FunctionName, Handler, Runtime, Role string
	Code                                 struct {
		S3Key    string
		S3Bucket unused
	}
	Environment         struct{ Variables map[string]scalar }
	Timeout, MemorySize number
	LoggingConfig       struct {
		LogFormat, ApplicationLogLevel string
		SystemLogLevel, LogGroup       unused // no lines of Lambda's own are written
	}
	Architectures unused // built for this machine
	TracingConfig unused // no trace is sampled
	RecursiveLoop unused // loops are not looked for
	Tags          unused
}

type sourceProperties struct {
	EventSourceARN                 string `json:"EventSourceArn"`
	FunctionName                   string
	BatchSize                      number
	MaximumBatchingWindowInSeconds number
	ScalingConfig                  struct{ MaximumConcurrency number }
	FunctionResponseTypes          []string
	Enabled                        scalar
	Tags                           unused
}

type permissionProperties struct {
	FunctionName, Action, Principal string
	SourceARN                       string `json:"SourceArn"`
}

type apiProperties struct {
	ProtocolType             string
	RouteSelectionExpression string
	// Here there is one address of one kind, and it stays open.
	Name, Description, IpAddressType, DisableExecuteApiEndpoint, Tags unused
}

type stageProperties struct {
	APIID                string `json:"ApiId"`
	StageName            string
	DeploymentID         string `json:"DeploymentId"`
	AutoDeploy           scalar
	DefaultRouteSettings struct {
		ThrottlingRateLimit, ThrottlingBurstLimit              scalar
		LoggingLevel, DataTraceEnabled, DetailedMetricsEnabled unused // nothing of it is logged
	}
	AccessLogSettings unused // access is not logged
	Description, Tags unused
}

type deploymentProperties struct {
	APIID       string `json:"ApiId"`
	Description unused
}

type integrationProperties struct {
	APIID                string `json:"ApiId"`
	IntegrationType      string
	IntegrationURI       string `json:"IntegrationUri"`
	PayloadFormatVersion string
	TimeoutInMillis      unused // the functions' own timeouts are shorter
}

type authorizerProperties struct {
	APIID          string `json:"ApiId"`
	AuthorizerType string
	AuthorizerURI  string `json:"AuthorizerUri"`
	IdentitySource []string
	Name           unused
}

type routeProperties struct {
	APIID                            string `json:"ApiId"`
	RouteKey                         string
	Target                           string
	AuthorizationType                string
	AuthorizerID                     string `json:"AuthorizerId"`
	RouteResponseSelectionExpression string
}

type responseProperties struct {
	APIID            string `json:"ApiId"`
	RouteID          string `json:"RouteId"`
	RouteResponseKey string
}
