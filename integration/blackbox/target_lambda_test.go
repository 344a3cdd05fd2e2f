package blackbox

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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

// concurrency is how many environments a function may have: one for each fan-out
// worker of the stage dev.
const concurrency = 6

// lambdaConfig is what a test needs otherwise than serverless.yml has it, or than
// it is by default.
type lambdaConfig struct {
	settings
	workers       int                      // fan-out invocations at once, of each queue
	fanOut        []string                 // variables of the worker, each "NAME=value"
	timeouts      map[string]time.Duration // of functions
	visibility    time.Duration            // of the queues; 1 min
	maxReceives   int                      // before a job is a dead letter; 5
	beforePost    func(*http.Request)      // called before each post to a client
	sourceThrough bool                     // the event sources share the functions' way to SQS, and its faults
}

// lambdaService is the service as it is deployed: the compiled functions,
// DynamoDB and SQS, and the gateway in the place of API Gateway.
type lambdaService struct {
	*target
	functions     map[string]*lambdalocal.Function
	dynamoDB, sqs lambdalocal.Switch // faults on the functions' way to them
	queue         awslocal.Queue     // of new jobs
	partsURL      string             // of the queue of parts
	retriesURL    string             // of the queue of retries
	gateway       *wsgateway.Gateway
}

func startLambda(t *testing.T, cfg lambdaConfig) *lambdaService {
	t.Helper()
	s := &lambdaService{target: &target{logs: new(logs)}, functions: make(map[string]*lambdalocal.Function)}
	s.queue = awslocal.CreateQueue(t, cmp.Or(cfg.visibility, time.Minute), cmp.Or(cfg.maxReceives, 5))
	s.partsURL = createAlike(t, "parts", s.queue.URL)
	s.retriesURL = createAlike(t, "retries", s.queue.URL)
	s.serveManagement(t, cfg)
	queues := awslocal.Proxy(t, awslocal.SQSEndpoint(t), s.sqs.Serve)
	s.deploy(t, cfg, awslocal.Env(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t), s.dynamoDB.Serve), queues))
	if !cfg.sourceThrough {
		queues = awslocal.SQSEndpoint(t)
	}
	s.connect(t, cfg, queues)
	return s
}

// deploy makes the functions of serverless.yml, each with its own variables and,
// where Lambda would provide credentials, those in env.
func (s *lambdaService) deploy(t *testing.T, cfg lambdaConfig, env []string) {
	t.Helper()
	resources := map[string]string{
		`{"Ref":"ConnectionsTable"}`: awslocal.CreateTable(t),
		`{"Ref":"JobsQueue"}`:        s.queue.URL,
		`{"Ref":"PartsQueue"}`:       s.partsURL,
		`{"Ref":"RetriesQueue"}`:     s.retriesURL,
		`{"Ref":"DeadLetterQueue"}`:  s.queue.DeadLetterURL,
		`{"Fn::Sub":"https://${WebsocketsApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/dev"}`: s.managementEndpoint,
	}
	programs := deployed(t)
	own := map[string][]string{"fanout": cfg.fanOut}
	for name, f := range configured(t) {
		s.functions[name] = lambdalocal.New(t, lambdalocal.Config{
			Name: name, Bootstrap: programs[name], Concurrency: concurrency, Log: lambdaLogs{s.logs},
			Env:     slices.Concat(env, f.variables(t, resources), own[name]),
			Timeout: cmp.Or(cfg.timeouts[name], time.Duration(f.Timeout)*time.Second),
		})
	}
}

// connect has the events of serverless.yml invoke the functions.
func (s *lambdaService) connect(t *testing.T, cfg lambdaConfig, queues string) {
	t.Helper()
	routes, api := make(map[string]wsgateway.Route), http.NewServeMux()
	urls := map[string]string{"JobsQueue": s.queue.URL, "PartsQueue": s.partsURL, "RetriesQueue": s.retriesURL}
	for name, f := range configured(t) {
		for _, event := range f.Events {
			switch {
			case event.WebSocket != nil:
				routes[event.WebSocket.Route] = wsgateway.Route{
					Integration: integration(s.functions[name]), Response: event.WebSocket.Response != "",
				}
			case event.SQS != nil:
				source := lambdalocal.EventSource{
					Client: awslocal.SQSAt(queues), QueueURL: urls[event.SQS.ARN.GetAtt[0]], Invoke: s.functions[name].Invoke,
					BatchSize:   event.SQS.BatchSize,
					Window:      time.Duration(event.SQS.MaximumBatchingWindow) * time.Second,
					Concurrency: cmp.Or(cfg.workers, event.SQS.MaximumConcurrency),
				}
				source.Start(t)
			default:
				api.HandleFunc(event.HTTPAPI, httpIntegration(s.functions[name]))
			}
		}
	}
	s.serve(t, cfg, routes, api)
}

// serveManagement opens the @connections API, for which there is no gateway yet.
func (s *lambdaService) serveManagement(t *testing.T, cfg lambdaConfig) {
	t.Helper()
	server := httptest.NewServer(signed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only once the body is read does the context end with the client.
		body, err := io.ReadAll(r.Body)
		if cfg.beforePost != nil && r.Method == http.MethodPost {
			cfg.beforePost(r)
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

// serve opens the two APIs for clients.
func (s *lambdaService) serve(t *testing.T, cfg lambdaConfig, routes map[string]wsgateway.Route, api http.Handler) {
	t.Helper()
	var err error
	s.gateway, err = wsgateway.New(wsgateway.Config{
		WriteTimeout: cfg.writeTimeout,
		Log:          slog.New(slog.NewJSONHandler(s.logs, nil)),
		Routes:       routes,
	})
	if err != nil {
		t.Fatal(err)
	}
	http, ws := httptest.NewServer(api), httptest.NewServer(s.gateway)
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
		t.Errorf("a function wrote more than log lines:\n%s", head(text))
	}
}
