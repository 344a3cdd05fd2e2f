package blackbox

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/stacklocal"
)

func TestLambda(t *testing.T) {
	suite(t, func(t *testing.T, s settings) *target {
		// More than one worker occasionally changes the order of messages.
		return startLambda(t, lambdaConfig{settings: s, workers: 1}).target
	})
}

// concurrency is the number of fan-out workers of the stage dev.
const concurrency = 8

// lambdaConfig overrides settings of the template for a test. The zero value of a field
// keeps the template's setting.
type lambdaConfig struct {
	settings
	stage         string                   // dev
	workers       int                      // fan-out invocations at once, of each queue
	params        []string                 // of the deployment
	secrets       map[string]string        // in SSM, by name
	variables     map[string][]string      // of functions, each "NAME=value"
	timeouts      map[string]time.Duration // of functions
	visibility    time.Duration            // of the queues
	maxReceives   int                      // before a job is a dead letter
	beforePost    func(*http.Request)      // called before each post to a client
	programs      map[string]string        // of the functions, by name
	emulator      string                   // what runs them
	sourceThrough bool                     // the event sources share the functions' path to SQS, with its faults
}

// overrides are the settings by their paths in the template.
func (cfg lambdaConfig) overrides() map[string]any {
	all := make(map[string]any)
	for _, queue := range []string{"JobsQueue", "ChannelsQueue", "PartsQueue", "RetriesQueue"} {
		if cfg.visibility != 0 {
			all[queue+"/VisibilityTimeout"] = cfg.visibility.Seconds()
		}
		if cfg.maxReceives != 0 {
			all[queue+"/RedrivePolicy/maxReceiveCount"] = cfg.maxReceives
		}
		if cfg.workers != 0 {
			all["FanOutEventSourceMappingSQS"+queue+"/ScalingConfig/MaximumConcurrency"] = cfg.workers
		}
	}
	for function, variables := range cfg.variables {
		for _, variable := range variables {
			name, value, _ := strings.Cut(variable, "=")
			all[logicalIDs[function]+"/Environment/Variables/"+name] = value
		}
	}
	for name, timeout := range cfg.timeouts {
		all[logicalIDs[name]+"/Timeout"] = timeout.Seconds()
	}
	return all
}

// logicalIDs are the template's names of functions, by program name.
var logicalIDs = map[string]string{
	"authorizer":        "AuthorizerLambdaFunction",
	"rooms":             "RoomsLambdaFunction",
	"presence":          "PresenceLambdaFunction",
	"authenticate":      "AuthenticateLambdaFunction",
	"history":           "HistoryLambdaFunction",
	"ping":              "PingLambdaFunction",
	"connectionmanager": "ConnectionManagerLambdaFunction",
	"defaultmessage":    "DefaultMessageLambdaFunction",
	"sendmessage":       "SendMessageLambdaFunction",
	"fanout":            "FanOutLambdaFunction",
}

// lambdaService is the service as deployed, started from its template.
type lambdaService struct {
	*target
	functions     map[string]*lambdalocal.Function // by the names of their programs
	dynamoDB, sqs *lambdalocal.Switch              // faults on the functions' path to them
	queue         awslocal.Queue                   // of new jobs
	partsURL      string                           // of the queue of parts
	retriesURL    string                           // of the queue of retries
}

func startLambda(t *testing.T, cfg lambdaConfig) *lambdaService {
	t.Helper()
	logs := new(logs)
	t.Cleanup(func() { // when everything is stopped
		if text := logs.unstructured(); text != "" {
			t.Errorf("a function wrote more than log lines:\n%s", head(text))
		}
	})
	stack := stacklocal.Start(t, deployed(t, cmp.Or(cfg.stage, "dev"), cfg.params...).Stack, stacklocal.Options{
		Overrides:     cfg.overrides(),
		Secrets:       cfg.secrets,
		Programs:      cfg.programs,
		Emulator:      cfg.emulator,
		Log:           lambdaLogs{logs},
		GatewayLog:    slog.New(slog.NewJSONHandler(logs, nil)),
		WriteTimeout:  cfg.writeTimeout,
		BeforePost:    cfg.beforePost,
		FaultySources: cfg.sourceThrough,
	})
	out := stack.Outputs
	return &lambdaService{
		target: &target{
			webSocketURL:       out["ServiceEndpointWebsocket"],
			httpURL:            out["HttpApiUrl"],
			managementEndpoint: out["ManagementEndpoint"],
			logs:               logs,
			challenge:          http.StatusForbidden,
		},
		functions: stack.Functions,
		dynamoDB:  &stack.DynamoDB, sqs: &stack.SQS,
		queue:    awslocal.Queue{URL: out["JobsQueueUrl"], DeadLetterURL: out["DeadLetterQueueUrl"]},
		partsURL: out["PartsQueueUrl"], retriesURL: out["RetriesQueueUrl"],
	}
}
