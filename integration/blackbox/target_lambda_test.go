package blackbox

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/integration/awslocal"
	"serverless-websocket/integration/lambdalocal"
)

func TestLambda(t *testing.T) {
	suite(t, func(t *testing.T, s settings) *target {
		// More than one worker changes the order of messages now and then.
		return startLambda(t, lambdaConfig{settings: s, workers: 1}).target
	})
}

// timeouts are those of serverless.yml.
var timeouts = map[string]time.Duration{
	"ping":              5 * time.Second,
	"connectionmanager": 6 * time.Second,
	"defaultmessage":    5 * time.Second,
	"sendmessage":       10 * time.Second,
	"fanout":            time.Minute,
}

// lambdaConfig is what a test needs otherwise than it is by default.
type lambdaConfig struct {
	settings
	workers       int                      // fan-out invocations at once; 2
	timeouts      map[string]time.Duration // of functions, instead of those in timeouts
	visibility    time.Duration            // of the queue; 1 min
	maxReceives   int                      // before a job is a dead letter; 5
	beforePost    func(context.Context)    // called before each post to a client
	sourceThrough bool                     // the event source shares the functions' way to SQS, and its faults
}

// lambdaService is the service as it is deployed: the compiled functions,
// DynamoDB and SQS, and the gateway in the place of API Gateway.
type lambdaService struct {
	*target
	functions     map[string]*lambdalocal.Function
	dynamoDB, sqs lambdalocal.Switch // faults on the functions' way to them
	queue         awslocal.Queue
	gateway       *wsgateway.Gateway
}

func startLambda(t *testing.T, cfg lambdaConfig) *lambdaService {
	t.Helper()
	cfg.workers = cmp.Or(cfg.workers, 2)
	programs := deployed(t)
	s := &lambdaService{target: &target{logs: new(logs)}, functions: make(map[string]*lambdalocal.Function)}
	s.queue = awslocal.CreateQueue(t, cmp.Or(cfg.visibility, time.Minute), cmp.Or(cfg.maxReceives, 5))
	s.serveManagement(t, cfg)
	queues := awslocal.Proxy(t, awslocal.SQSEndpoint(t), s.sqs.Serve)
	env := append(awslocal.Env(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t), s.dynamoDB.Serve), queues),
		"CONNECTIONS_TABLE="+awslocal.CreateTable(t),
		"JOBS_QUEUE_URL="+s.queue.URL,
		"DEAD_LETTER_QUEUE_URL="+s.queue.DeadLetterURL,
		"MANAGEMENT_ENDPOINT="+s.managementEndpoint,
	)
	for name, timeout := range timeouts {
		s.functions[name] = lambdalocal.New(t, lambdalocal.Config{
			Name: name, Bootstrap: programs[name], Env: env, Concurrency: 4, Log: lambdaLogs{s.logs},
			Timeout: cmp.Or(cfg.timeouts[name], timeout),
		})
	}
	if !cfg.sourceThrough {
		queues = awslocal.SQSEndpoint(t)
	}
	source := lambdalocal.EventSource{
		Client: awslocal.SQSAt(queues), QueueURL: s.queue.URL, Invoke: s.functions["fanout"].Invoke,
		Concurrency: cfg.workers,
	}
	source.Start(t)
	s.serve(t, cfg)
	return s
}

// serveManagement opens the @connections API, for which there is no gateway yet.
func (s *lambdaService) serveManagement(t *testing.T, cfg lambdaConfig) {
	t.Helper()
	server := httptest.NewServer(signed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only once the body is read does the context end with the client.
		body, err := io.ReadAll(r.Body)
		if cfg.beforePost != nil && r.Method == http.MethodPost {
			cfg.beforePost(r.Context())
		}
		if err != nil || r.Context().Err() != nil {
			return // who posts has gone, and the post is lost
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.gateway.Management().ServeHTTP(w, r)
	})))
	t.Cleanup(server.Close)
	s.managementEndpoint = server.URL + "/dev"
}

// serve opens the two APIs for clients, with the routes of serverless.yml.
func (s *lambdaService) serve(t *testing.T, cfg lambdaConfig) {
	t.Helper()
	connections := integration(s.functions["connectionmanager"])
	var err error
	s.gateway, err = wsgateway.New(wsgateway.Config{
		WriteTimeout: cfg.writeTimeout,
		Log:          slog.New(slog.NewJSONHandler(s.logs, nil)),
		Routes: map[string]wsgateway.Route{
			"$connect":    {Integration: connections},
			"$disconnect": {Integration: connections},
			"$default":    {Integration: integration(s.functions["defaultmessage"]), Response: true},
			"sendMessage": {Integration: integration(s.functions["sendmessage"]), Response: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	http, ws := httptest.NewServer(httpAPI(s.functions["ping"])), httptest.NewServer(s.gateway)
	s.httpURL, s.webSocketURL = http.URL, "ws"+strings.TrimPrefix(ws.URL, "http")
	t.Cleanup(func() {
		http.Close()
		ws.Close()
		s.stopCleanly(t)
	})
}

// stopCleanly closes the sockets, and wants the functions to have written
// nothing but log lines.
func (s *lambdaService) stopCleanly(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.gateway.Close(ctx); err != nil {
		t.Error(err)
	}
	if text := s.logs.unstructured(); text != "" {
		t.Errorf("a function wrote more than log lines:\n%s", text)
	}
}
