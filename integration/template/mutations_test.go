package template_test

// mutation is a change to the template that a check must notice. A nil value
// removes what is at the path.
type mutation struct {
	check, path string
	value       any
	want        string
}

const (
	fanOut        = "Resources/FanOutLambdaFunction/Properties/"
	manager       = "Resources/ConnectionManagerLambdaFunction/Properties/"
	sender        = "Resources/SendMessageLambdaFunction/Properties/"
	authorizer    = "Resources/AuthorizerLambdaFunction/Properties/"
	jobs          = "Resources/JobsQueue/Properties/"
	channels      = "Resources/ChannelsQueue/Properties/"
	parts         = "Resources/PartsQueue/Properties/"
	retries       = "Resources/RetriesQueue/Properties/"
	stage         = "Resources/WebsocketsDeploymentStage/Properties/"
	workers       = "Resources/FanOutRole/Properties/Policies/0/PolicyDocument/Statement/"
	table         = "Resources/ConnectionsTable/Properties/"
	subscriptions = "Resources/SubscriptionsTable/Properties/"
	logsTable     = "Resources/LogsTable/Properties/"
	conversations = "Resources/ConversationsTable/Properties/"
	domain        = "Resources/CustomDomain/Properties/"
	mapping       = "Resources/CustomDomainMapping/Properties/"
	endpoint      = fanOut + "Environment/Variables/MANAGEMENT_ENDPOINT"
	slowest       = "Resources/SlowestFanOutsQuery"

	jobsSource     = "Resources/FanOutEventSourceMappingSQSJobsQueue/Properties/"
	channelsSource = "Resources/FanOutEventSourceMappingSQSChannelsQueue/Properties/"
	partsSource    = "Resources/FanOutEventSourceMappingSQSPartsQueue/Properties/"
	retriesSource  = "Resources/FanOutEventSourceMappingSQSRetriesQueue/Properties/"

	administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
)

var mutations = []mutation{
	{"functions", "Resources/PingLambdaFunction", nil, "deployed are"},
	{"functions", fanOut + "Runtime", "provided.al2", "Runtime"},
	{"functions", fanOut + "Architectures", []any{"x86_64"}, "Architectures"},
	{"functions", fanOut + "Role/Fn::GetAtt/0", "PingRole", "Role"},
	{"functions", fanOut + "LoggingConfig", nil, "LogFormat"},
	{"functions", fanOut + "Code/S3Key", "serverless/ping.zip", "runs the code"},
	{"functions", fanOut + "FunctionName", "another", "LogGroupName"},
	{"functions", "Resources/PingThrottlesAlarm", nil, "PingThrottlesAlarm"},
	{"functions", sender + "Timeout", 29.0, "29 s"},
	{"functions", manager + "Timeout", 10.0, "count as open"},

	{"environment", manager + "Environment/Variables/CONNECTIONS_TABLE", nil, "ConnectionManager reads CONNECTIONS_TABLE"},
	{"environment", manager + "Environment/Variables/EXTRA", "1", "is given EXTRA"},
	{"environment", endpoint, "https://example.com/dev", "MANAGEMENT_ENDPOINT is"},
	{"environment", fanOut + "Environment/Variables/PARTS_QUEUE_URL/Ref", "RetriesQueue", "PARTS_QUEUE_URL is"},
	{"environment", fanOut + "Environment/Variables/CHANNELS_QUEUE_URL/Ref", "PartsQueue", "CHANNELS_QUEUE_URL is"},
	{"environment", "Resources/RoomsLambdaFunction/Properties/Environment/Variables/SUBSCRIPTIONS_TABLE/Ref", "ConnectionsTable", "SUBSCRIPTIONS_TABLE is"},
	{"environment", fanOut + "Environment/Variables/LOGS_TABLE", nil, "FanOut reads LOGS_TABLE"},
	{"environment", "Resources/HistoryLambdaFunction/Properties/Environment/Variables/LOGS_TABLE/Fn::If/2", "logs", "LOGS_TABLE is"},
	{"environment", "Resources/HistoryLambdaFunction/Properties/Environment/Variables/CONVERSATIONS_TABLE", nil, "History reads CONVERSATIONS_TABLE"},
	{"environment", fanOut + "Environment/Variables/CONVERSATIONS_TABLE/Fn::If/1/Ref", "LogsTable", "CONVERSATIONS_TABLE is"},
	{"environment", "Resources/RoomsLambdaFunction/Properties/Environment/Variables/CONVERSATIONS_TABLE", "c", "is given CONVERSATIONS_TABLE"},
	{"environment", fanOut + "Environment/Variables/RETRIES_QUEUE_URL/Ref", "PartsQueue", "RETRIES_QUEUE_URL is"},
	{"environment", fanOut + "Environment/Variables/DEAD_LETTER_QUEUE_URL/Ref", "JobsQueue", "DEAD_LETTER_QUEUE_URL is"},

	{"roles", workers + "1/Action/0", "dynamodb:Query", "dynamodb:Query"},
	{"roles", workers + "3/Action/0", "sqs:*", "sqs:*"},
	{"roles", workers + "3/Resource/3/Fn::GetAtt/0", "DeadLetterQueue", "RetriesQueue"},
	{"roles", workers + "4/Resource/1/Fn::GetAtt/0", "JobsQueue", "PartsQueue"},
	{"roles", workers + "1/Resource", "*", `+`},
	{"roles", "Resources/PingRole/Properties/RoleName", nil, "RoleName"},
	{"roles", "Resources/PingRole/Properties/ManagedPolicyArns", []any{administrator}, "AdministratorAccess"},
	{"roles", "Resources/PingRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal", "*", "Principal"},
	{"roles", "Resources/Another", map[string]any{"Type": "AWS::IAM::Policy"}, "Another"},
	{"roles", "Resources/ApiGatewayLogRole/Properties/ManagedPolicyArns/0", administrator, "AdministratorAccess"},
	{"roles", "Resources/ApiGatewayLogRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service",
		"ec2.amazonaws.com", "ec2"},
	{"roles", "Resources/ApiGatewayLogRole/DeletionPolicy", nil, "DeletionPolicy"},
	{"roles", "Resources/ApiGatewayAccount/UpdateReplacePolicy", nil, "UpdateReplacePolicy"},
	{"roles", "Resources/AuthorizerRole/Properties/Policies/0/PolicyDocument/Statement/1/Fn::If/1/Resource/Fn::Sub",
		"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/", "parameter/"},
	{"roles", workers + "6/Fn::If/0", "HasDomainName", "HasHistory"},
	{"wildcards", workers + "1/Resource", "*", "dynamodb:Scan"},
	{"wildcards", workers + "5/Resource/0/Fn::Sub", "arn:${AWS::Partition}:execute-api:*:*:*/@connections/*", "ManageConnections"},

	{"calls", workers + "1/Action/0", "dynamodb:Query", "FanOut calls dynamodb:Scan"},
	{"calls", workers + "1/Action/0", "dynamodb:DeleteItem", "FanOut may call dynamodb:DeleteItem"},
	{"calls", workers + "3/Action/1", "sqs:ReceiveMessage", "FanOut calls sqs:DeleteMessage"},
	{"calls", workers + "6/Fn::If/1/Action/2", "dynamodb:DeleteItem", "FanOut calls dynamodb:ConditionCheckItem"},
	{"calls", workers + "5/Action", "sqs:SendMessage", "FanOut calls execute-api:ManageConnections"},
	// Calls by another function do not count.
	{"calls", "Resources/ConnectionManagerRole/Properties/Policies/0/PolicyDocument/Statement/1/Action/0", "dynamodb:Scan",
		"ConnectionManager may call dynamodb:Scan"},
	{"calls", "Resources/SendMessageRole/Properties/Policies/0/PolicyDocument/Statement/1/Action", "sqs:ReceiveMessage",
		"SendMessage calls sqs:SendMessage"},
	{"calls", "Resources/AuthorizerRole/Properties/Policies/0/PolicyDocument/Statement/1/Fn::If/1/Action", "ssm:GetParameters",
		"Authorizer calls ssm:GetParameter"},

	{"settings", fanOut + "Environment/Variables/POSTS_IN_FLIGHT", "zero", "postsInFlight"},
	{"settings", fanOut + "Environment/Variables/POSTS_PER_SECOND", "0", "postsPerSecond"},
	{"settings", fanOut + "Environment/Variables/CHANNEL_PERCENT/Fn::If/1", "0", "channelPercent"},
	{"settings", fanOut + "Environment/Variables/FAN_OUT_CONCURRENCY", "1", "fanOutConcurrency"},
	{"settings", fanOut + "Environment/Variables/CONFIRM_GONE_AFTER", "0", "confirmGoneAfter"},
	{"settings", fanOut + "MemorySize", nil, "fanOutMemory"},
	{"settings", "Resources/RoomsLambdaFunction/Properties/Environment/Variables/MAX_ROOMS", "0", "maxRooms"},
	{"settings", "Resources/PingLambdaFunction/Properties/MemorySize", 1024.0, "memory"},
	{"settings", sender + "Environment/Variables/BROADCAST_BY", "nobody", "broadcastBy"},
	{"settings", sender + "LoggingConfig/ApplicationLogLevel", "FATAL", "logLevel"},
	{"settings", "Resources/FanOutLogGroup/Properties/RetentionInDays", nil, "logRetentionDays"},
	{"settings", "Resources/WebsocketsLogGroup/Properties/RetentionInDays", nil, "logRetentionDays"},
	{"settings", "Conditions/TracingActive/Fn::Equals/1", "On", "TracingActive"},
	{"settings", manager + "TracingConfig/Mode", "Active", "tracing"},
	{"settings", "Conditions/HasJwtSecret/Fn::Not/0/Fn::Equals/1", "none", "HasJwtSecret"},
	{"settings", authorizer + "Environment/Variables/ORIGINS", "https://example.com", "origins"},
	{"settings", "Conditions/HasHistory/Fn::Not/0/Fn::Equals/0", "0 days", "HasHistory"},
	{"settings", sender + "Environment/Variables/HISTORY_DAYS", "0", "historyDays"},
	{"settings", "Conditions/HasDomainName/Fn::Not/0/Fn::Equals/1", "none", "HasDomainName"},
	{"settings", domain + "DomainName", "example.com", "domainName"},
	{"settings", domain + "DomainNameConfigurations/0/CertificateArn", "arn:aws:acm:1", "certificateArn"},

	{"gateway", "Resources/WebsocketsApi/Properties/RouteSelectionExpression", "$request.body.type", "RouteSelection"},
	{"gateway", "Resources/sendMessageWebsocketsRoute/Properties/RouteResponseSelectionExpression", nil, "route sendMessage"},
	{"gateway", "Resources/SdefaultWebsocketsRouteResponse", nil, "route $default"},
	{"gateway", "Resources/SconnectWebsocketsRoute/Properties/RouteResponseSelectionExpression", "$default", "route $connect"},
	{"gateway", "Resources/SdisconnectWebsocketsRoute", nil, "no route $disconnect"},
	{"gateway", "Resources/sendMessageWebsocketsRoute/Properties/RouteKey", "sendMesage", "not known"},
	{"gateway", "Resources/sendMessageWebsocketsRoute/Properties/Target", "elsewhere", "does not go"},
	{"gateway", stage + "DefaultRouteSettings/LoggingLevel", nil, "LoggingLevel"},
	{"gateway", stage + "DefaultRouteSettings/ThrottlingRateLimit", nil, "a rate of 0"},
	{"gateway", stage + "DefaultRouteSettings/ThrottlingBurstLimit", 99.0, "a burst of 99 at a rate of 100"},
	{"gateway", stage + "DefaultRouteSettings/ThrottlingBurstLimit", 5001.0, "a burst of 5001"},
	{"gateway", stage + "Tags", nil, "accountLogRole"},
	{"gateway", stage + "Tags/accountLogRole", "existing", "accountLogRole"},
	{"gateway", stage + "AccessLogSettings", nil, "AccessLogSettings"},
	{"gateway", stage + "AccessLogSettings/Format", `{"status":"$context.status"}`, "no connectionId"},
	{"gateway", stage + "AccessLogSettings/Format", `{"status":"$context.statuss"}`, "status is $context.statuss"},
	{"gateway", stage + "AccessLogSettings/Format", `{"error":"$context.error.message"}`, "error is $context.error.message"},
	{"gateway", stage + "AccessLogSettings/Format", `{"error":$context.error.messageString}`, "not JSON"},
	{"authorizer", "Resources/SconnectWebsocketsRoute/Properties/AuthorizationType", "CUSTOM", "route $connect has the authorization CUSTOM"},
	{"authorizer", "Resources/AuthorizerWebsocketsAuthorizer", map[string]any{"Type": "AWS::ApiGatewayV2::Authorizer"}, "1 authorizers"},
	{"invocation", "Resources/AuthorizerLambdaPermissionWebsockets/Properties/SourceArn", "arn:*", "Authorizer"},
	{"invocation", "Resources/PingLambdaPermissionHttpApi/Properties/SourceArn", nil, "any API"},
	{"invocation", "Resources/RoomsLambdaPermissionWebsockets/Properties/SourceArn", "arn:*", "Rooms"},
	{"invocation", "Resources/HistoryLambdaPermissionLoadMessages", nil, "History"},
	{"invocation", "Resources/SendMessageLambdaPermissionWebsockets/Properties/SourceArn", "arn:*", "SendMessage"},

	{"endpoints", "Resources/WebsocketsApi/Properties/IpAddressType", nil, "WebsocketsApi: Properties/IpAddressType"},
	{"endpoints", "Resources/HttpApi/Properties/IpAddressType", "ipv4", "HttpApi: Properties/IpAddressType"},
	{"endpoints", "Resources/WebsocketsApi/Properties/DisableExecuteApiEndpoint", true, "WebsocketsApi: Properties/Disable"},
	{"endpoints", "Resources/HttpApi/Properties/DisableExecuteApiEndpoint", true, "HttpApi: Properties/Disable"},
	{"endpoints", "Resources/CustomDomain/Condition", nil, "CustomDomain/Condition"},
	{"endpoints", domain + "DomainNameConfigurations/0/EndpointType", "EDGE", "EndpointType"},
	{"endpoints", domain + "DomainNameConfigurations/0/IpAddressType", nil, "IpAddressType"},
	{"endpoints", domain + "DomainNameConfigurations/0/SecurityPolicy", "TLS_1_0", "SecurityPolicy"},
	{"endpoints", "Resources/CustomDomainMapping/Condition", nil, "CustomDomainMapping/Condition"},
	{"endpoints", mapping + "ApiId/Ref", "HttpApi", "ApiId"},
	{"endpoints", mapping + "DomainName", "chat.example.com", "DomainName"},
	{"endpoints", mapping + "Stage", "$default", "Stage"},
	{"endpoints", "Outputs/CustomDomainTarget/Condition", nil, "CustomDomainTarget"},

	{"outputs", "Outputs/CustomDomainUrl", nil, "CustomDomainUrl"},
	{"outputs", "Outputs/CustomDomainTarget/Value/Fn::GetAtt/1", "DistributionDomainName", "CustomDomainTarget"},
	{"outputs", "Outputs/CustomDomainHostedZoneId/Value/Fn::GetAtt/1", "RegionalDomainName", "CustomDomainHostedZoneId"},
	{"outputs", "Outputs/ServiceEndpointWebsocket", nil, "wss://"},
	{"outputs", "Outputs/LogsTableName/Condition", nil, "LogsTableName"},
	{"outputs", "Outputs/ConversationsTableName", nil, "ConversationsTableName"},
	{"outputs", "Outputs/PartsQueueUrl", nil, "PartsQueueUrl"},
	{"outputs", "Outputs/RetriesQueueArn/Value/Fn::GetAtt/0", "PartsQueue", "RetriesQueueArn"},
	{"outputs", "Outputs/DeadLetterQueueUrl/Value/Ref", "JobsQueue", "DeadLetterQueueUrl"},
	{"outputs", "Outputs/DeadLetterQueueArn", nil, "DeadLetterQueueArn"},

	{"queue", jobs + "MaximumMessageSize", 262144.0, "MaximumMessageSize"},
	{"queue", jobs + "SqsManagedSseEnabled", nil, "SqsManagedSseEnabled"},
	{"queue", jobs + "RedrivePolicy/maxReceiveCount", 3.0, "3 receives"},
	{"queue", jobs + "MessageRetentionPeriod", 1209600.0, "expire"},
	{"queue", channels + "MaximumMessageSize", 262144.0, "MaximumMessageSize"},
	{"queue", channels + "RedrivePolicy", nil, "deadLetterTargetArn"},
	{"queue", "Resources/ChannelsQueuePolicy", nil, "ChannelsQueue accepts requests without TLS"},
	{"queue", parts + "MaximumMessageSize", 262144.0, "MaximumMessageSize"},
	{"queue", parts + "SqsManagedSseEnabled", nil, "SqsManagedSseEnabled"},
	{"queue", parts + "RedrivePolicy", nil, "deadLetterTargetArn"},
	{"queue", retries + "RedrivePolicy/deadLetterTargetArn/Fn::GetAtt/0", "PartsQueue", "deadLetterTargetArn"},
	{"queue", retries + "RedrivePolicy/maxReceiveCount", 1.0, "1 receives"},
	{"queue", retries + "MessageRetentionPeriod", 1209600.0, "expire"},
	{"queue", "Resources/DeadLetterQueue/Properties/MessageRetentionPeriod", 345600.0, "MessageRetentionPeriod"},
	{"queue", "Resources/DeadLetterQueuePolicy", nil, "without TLS"},
	{"queue", "Resources/PartsQueuePolicy", nil, "PartsQueue accepts requests without TLS"},
	{"queue", "Resources/RetriesQueuePolicy/Properties/Queues/0/Ref", "JobsQueue", "RetriesQueue accepts requests without TLS"},
	{"queue", "Resources/JobsQueuePolicy/Properties/PolicyDocument/Statement/0/Effect", "Allow", "Effect"},
	{"sources", fanOut + "RecursiveLoop", nil, "RecursiveLoop"},
	{"sources", jobsSource + "FunctionResponseTypes", nil, "FunctionResponseTypes"},
	{"sources", jobsSource + "BatchSize", 11.0, "batch of 11"},
	{"sources", jobsSource + "ScalingConfig", nil, "0 workers at once"},
	{"sources", jobsSource + "ScalingConfig/MaximumConcurrency", 4.0, "4 workers at once, not 2"},
	{"sources", jobs + "VisibilityTimeout", 359.0, "visibility of 359 s"},
	{"sources", channelsSource + "BatchSize", 1.0, "BatchSize"},
	{"sources", channelsSource + "MaximumBatchingWindowInSeconds", 1.0, "MaximumBatchingWindowInSeconds"},
	{"sources", channelsSource + "ScalingConfig/MaximumConcurrency", 4.0, "ChannelsQueue: 4 workers at once, not 2"},
	{"sources", channels + "VisibilityTimeout", 359.0, "visibility of 359 s"},
	{"sources", partsSource + "FunctionResponseTypes", nil, "FunctionResponseTypes"},
	{"sources", partsSource + "EventSourceArn/Fn::GetAtt/0", "RetriesQueue", "EventSourceArn"},
	{"sources", partsSource + "BatchSize", 10.0, "BatchSize"},
	{"sources", partsSource + "MaximumBatchingWindowInSeconds", 1.0, "MaximumBatchingWindowInSeconds"},
	{"sources", partsSource + "ScalingConfig/MaximumConcurrency", 4.0, "PartsQueue: 4 workers at once, not 2"},
	{"sources", parts + "VisibilityTimeout", 359.0, "visibility of 359 s"},
	{"sources", "Resources/FanOutEventSourceMappingSQSRetriesQueue", nil, "EventSourceArn"},
	{"sources", retriesSource + "BatchSize", 1.0, "BatchSize"},
	{"sources", retriesSource + "MaximumBatchingWindowInSeconds", 1.0, "MaximumBatchingWindowInSeconds"},
	{"sources", retriesSource + "ScalingConfig/MaximumConcurrency", 4.0, "RetriesQueue: 4 workers at once, not 2"},
	{"sources", retries + "VisibilityTimeout", 359.0, "visibility of 359 s"},

	{"table", table + "TimeToLiveSpecification/AttributeName", "ttl", "TimeToLive"},
	{"table", table + "KeySchema/0/AttributeName", "connectionId", "KeySchema"},
	{"table", table + "SSESpecification", nil, "SSE"},

	{"table", subscriptions + "TimeToLiveSpecification/AttributeName", "ttl", "TimeToLive"},
	{"table", subscriptions + "KeySchema/1/AttributeName", "user", "KeySchema"},
	{"table", subscriptions + "BillingMode", "PROVISIONED", "BillingMode"},

	{"table", logsTable + "TimeToLiveSpecification", nil, "TimeToLive"},
	{"table", logsTable + "AttributeDefinitions/1/AttributeType", "S", "AttributeDefinitions"},
	{"table", "Resources/LogsTable/Condition", nil, "LogsTable/Condition"},

	{"table", conversations + "TimeToLiveSpecification/Enabled", false, "TimeToLive"},
	{"table", conversations + "AttributeDefinitions/1/AttributeType", "N", "AttributeDefinitions"},
	{"table", conversations + "SSESpecification", nil, "SSE"},
	{"table", "Resources/ConversationsTable/Condition", nil, "ConversationsTable/Condition"},

	{"bucket", "Resources/ServerlessDeploymentBucket/Properties/PublicAccessBlockConfiguration", nil, "PublicAccess"},

	{"alarms", "Resources/DeadLettersAlarm", nil, "ApproximateNumberOfMessagesVisible"},
	{"alarms", "Resources/OldestJobAlarm/Properties/MetricName", "NumberOfMessagesSent", "ApproximateAgeOfOldestMessage"},
	{"alarms", "Resources/FanOutErrorsAlarm/Properties/Dimensions/0/Value/Ref", "PingLambdaFunction", "Errors"},
	{"alarms", "Resources/PingThrottlesAlarm/Properties/AlarmActions", nil, "AlarmActions"},
	{"alarms", "Resources/PingThrottlesAlarm/Properties/Dimensions/0/Name", "Function", "Name"},
	{"alarms", "Resources/OldestJobAlarm/Properties/Threshold", 0.0, "Threshold"},
	{"alarms", "Resources/OldestPartAlarm", nil, "OldestPartAlarm"},
	{"alarms", "Resources/OldestRetryAlarm/Properties/Dimensions/0/Value/Fn::GetAtt/0", "PartsQueue", "RetriesQueue"},
	{"alarms", "Resources/OldestJobAlarm/Properties/Statistic", "Sum", "Statistic"},
	{"alarms", "Resources/DeadLettersAlarm/Properties/Period", 86400.0, "Period"},
	{"alarms", "Resources/FanOutLoggedErrors/Properties/FilterPattern", "ERROR", "FilterPattern"},
	{"alarms", "Resources/FanOutLoggedErrorsAlarm/Properties/Namespace", "AWS/Lambda", "Namespace"},
	{"alarms", "Resources/ConnectionManagerErrorsAlarm", nil, "ConnectionManagerErrorsAlarm"},
	{"alarms", "Resources/SendMessageErrorsAlarm/Properties/Dimensions/0/Value/Ref", "DefaultMessageLambdaFunction", "SendMessage"},
	{"alarms", "Resources/SendMessageErrorsAlarm/Properties/Namespace", "AWS/ApiGateway", "Namespace"},
	{"alarms", "Resources/ConnectionManagerLoggedErrors/Properties/LogGroupName/Ref", "SendMessageLogGroup", "LogGroupName"},
	{"alarms", "Resources/ConnectionManagerLoggedErrors/Properties/FilterPattern", `{ $.level = "INFO" }`, "FilterPattern"},
	{"alarms", "Resources/ConnectionManagerLoggedErrorsAlarm/Properties/MetricName", "FanOutLoggedErrors", "MetricName"},
	{"alarms", "Resources/SendMessageLoggedErrors", nil, "SendMessageLoggedErrors"},
	{"alarms", "Resources/SendMessageLoggedErrorsAlarm/Properties/AlarmActions", nil, "AlarmActions"},
	{"alarms", "Resources/SendMessageLoggedErrorsAlarm/Properties/TreatMissingData", "breaching", "TreatMissingData"},
	{"alarms", "Resources/AlarmSubscription/Properties/Protocol", "sms", "Protocol"},
	{"alarms", "Resources/AlarmTopic/Condition", nil, "Condition"},

	{"queries", "Resources/ConnectAndSendErrorsQuery/Properties/LogGroupNames/1/Ref", "PingLogGroup", "PingLogGroup"},
	{"queries", "Resources/ConnectAndSendErrorsQuery/Properties/QueryString", `filter level = "INFO"`, "INFO"},
	{"queries", slowest, nil, "SlowestFanOutsQuery"},
	{"queries", slowest + "/Properties/LogGroupNames/0/Ref", "PingLogGroup", "PingLogGroup"},
	{"queries", slowest + "/Properties/QueryString", `filter message = "fanned out" | sort durationMs asc`, "asc"},
	{"fields", slowest + "/Properties/QueryString", `filter message = "fanned"`, `message "fanned"`},
	{"fields", slowest + "/Properties/QueryString", `fields duration | sort duration`, `field "duration"`},
}
