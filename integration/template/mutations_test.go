package template_test

// mutation is a change to the template that a check must notice. A nil value
// removes what is at the path.
type mutation struct {
	check, path string
	value       any
	want        string
}

const (
	fanOut   = "Resources/FanOutLambdaFunction/Properties/"
	manager  = "Resources/ConnectionManagerLambdaFunction/Properties/"
	jobs     = "Resources/JobsQueue/Properties/"
	source   = "Resources/FanOutEventSourceMappingSQSJobsQueue/Properties/"
	stage    = "Resources/WebsocketsDeploymentStage/Properties/"
	workers  = "Resources/FanOutRole/Properties/Policies/0/PolicyDocument/Statement/"
	table    = "Resources/ConnectionsTable/Properties/"
	endpoint = fanOut + "Environment/Variables/MANAGEMENT_ENDPOINT"
)

var mutations = []mutation{
	{"functions", "Resources/PingLambdaFunction", nil, "deployed are"},
	{"functions", fanOut + "Runtime", "provided.al2", "Runtime"},
	{"functions", fanOut + "Architectures", []any{"x86_64"}, "Architectures"},
	{"functions", fanOut + "Role/Fn::GetAtt/0", "PingRole", "Role"},
	{"functions", fanOut + "LoggingConfig", nil, "LogFormat"},
	{"functions", fanOut + "Code/S3Key", "serverless/ping.zip", "runs the code"},
	{"functions", fanOut + "FunctionName", "another", "LogGroupName"},
	{"functions", "Resources/FanOutLogGroup/Properties/RetentionInDays", nil, "for ever"},
	{"functions", "Resources/SendMessageLambdaFunction/Properties/Timeout", 29.0, "29 s"},
	{"functions", manager + "Timeout", 10.0, "count as open"},

	{"environment", manager + "Environment/Variables/CONNECTIONS_TABLE", nil, "ConnectionManager reads CONNECTIONS_TABLE"},
	{"environment", manager + "Environment/Variables/EXTRA", "1", "is given EXTRA"},
	{"environment", endpoint, "https://example.com/dev", "MANAGEMENT_ENDPOINT is"},
	{"environment", fanOut + "Environment/Variables/DEAD_LETTER_QUEUE_URL/Ref", "JobsQueue", "DEAD_LETTER_QUEUE_URL is"},

	{"roles", workers + "1/Action/0", "dynamodb:Query", "dynamodb:Query"},
	{"roles", workers + "1/Resource", "*", `+`},
	{"roles", "Resources/PingRole/Properties/ManagedPolicyArns", []any{"arn:aws:iam::aws:policy/Admin"}, "ManagedPolicyArns"},
	{"roles", "Resources/PingRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal", "*", "AssumeRole"},
	{"roles", "Resources/Another", map[string]any{"Type": "AWS::IAM::Policy"}, "Another"},
	{"actions", workers + "1/Action/0", "dynamodb:ScanItems", "dynamodb:ScanItems"},
	{"actions", workers + "2/Action/0", "sqs:*", "all of sqs:*"},
	{"wildcards", workers + "1/Resource", "*", "dynamodb:Scan"},
	{"wildcards", workers + "4/Resource/Fn::Sub", "arn:${AWS::Partition}:execute-api:*:*:*/@connections/*", "ManageConnections"},

	{"calls", workers + "1/Action/0", "dynamodb:Query", "the code calls dynamodb:Scan"},
	{"calls", workers + "1/Action/0", "dynamodb:Query", "a role allows dynamodb:Query"},

	{"gateway", "Resources/WebsocketsApi/Properties/RouteSelectionExpression", "$request.body.type", "RouteSelection"},
	{"gateway", "Resources/sendMessageWebsocketsRoute/Properties/RouteResponseSelectionExpression", nil, "route sendMessage"},
	{"gateway", "Resources/SdefaultWebsocketsRouteResponse", nil, "route $default"},
	{"gateway", "Resources/SconnectWebsocketsRoute/Properties/RouteResponseSelectionExpression", "$default", "route $connect"},
	{"gateway", "Resources/SdisconnectWebsocketsRoute", nil, "no route $disconnect"},
	{"gateway", "Resources/sendMessageWebsocketsRoute/Properties/RouteKey", "sendMesage", "not known"},
	{"gateway", "Resources/sendMessageWebsocketsRoute/Properties/Target", "elsewhere", "does not go"},
	{"gateway", stage + "DefaultRouteSettings/LoggingLevel", nil, "LoggingLevel"},
	{"gateway", stage + "DefaultRouteSettings/ThrottlingRateLimit", nil, "ThrottlingRateLimit"},
	{"gateway", stage + "AccessLogSettings", nil, "AccessLogSettings"},
	{"gateway", stage + "AccessLogSettings/Format", `{"status":"$context.status"}`, "no connectionId"},
	{"gateway", "Resources/WebsocketsLogGroup/Properties/RetentionInDays", nil, "for ever"},
	{"invocation", "Resources/PingLambdaPermissionHttpApi/Properties/SourceArn", nil, "any API"},
	{"invocation", "Resources/SendMessageLambdaPermissionWebsockets/Properties/SourceArn", "arn:*", "SendMessage"},

	{"outputs", "Outputs/ServiceEndpointWebsocket", nil, "wss://"},
	{"outputs", "Outputs/DeadLetterQueueUrl/Value/Ref", "JobsQueue", "DeadLetterQueueUrl"},

	{"queue", jobs + "MaximumMessageSize", 262144.0, "MaximumMessageSize"},
	{"queue", jobs + "SqsManagedSseEnabled", nil, "SqsManagedSseEnabled"},
	{"queue", jobs + "RedrivePolicy/maxReceiveCount", 3.0, "3 receives"},
	{"queue", jobs + "MessageRetentionPeriod", 1209600.0, "expire"},
	{"queue", "Resources/DeadLetterQueue/Properties/MessageRetentionPeriod", 345600.0, "MessageRetentionPeriod"},
	{"queue", "Resources/DeadLetterQueuePolicy", nil, "without TLS"},
	{"queue", "Resources/JobsQueuePolicy/Properties/PolicyDocument/Statement/0/Effect", "Allow", "Effect"},
	{"source", source + "FunctionResponseTypes", nil, "FunctionResponseTypes"},
	{"source", source + "BatchSize", 11.0, "batch of 11"},
	{"source", source + "ScalingConfig", nil, "workers at once"},
	{"source", jobs + "VisibilityTimeout", 359.0, "visibility of 359 s"},

	{"table", table + "TimeToLiveSpecification/AttributeName", "ttl", "TimeToLive"},
	{"table", table + "KeySchema/0/AttributeName", "connectionId", "KeySchema"},
	{"table", table + "SSESpecification", nil, "SSE"},

	{"alarms", "Resources/DeadLettersAlarm", nil, "ApproximateNumberOfMessagesVisible"},
	{"alarms", "Resources/OldestJobAlarm/Properties/MetricName", "NumberOfMessagesSent", "ApproximateAgeOfOldestMessage"},
	{"alarms", "Resources/FanOutErrorsAlarm/Properties/Dimensions/0/Value/Ref", "PingLambdaFunction", "Errors"},
	{"alarms", "Resources/PingThrottlesAlarm/Properties/AlarmActions", nil, "AlarmActions"},
	{"alarms", "Resources/AlarmTopic/Condition", nil, "AlarmTopic"},

	{"queries", "Resources/SlowestFanOutsQuery", nil, "queries are"},
	{"queries", "Resources/SlowestFanOutsQuery/Properties/QueryString", `filter message = "fanned"`, `message "fanned"`},
	{"queries", "Resources/SlowestFanOutsQuery/Properties/QueryString", `fields duration | sort duration`, `field "duration"`},
}
