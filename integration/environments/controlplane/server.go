// Package controlplane is a stand-in for the AWS APIs that the Serverless Framework calls
// to deploy, operate and remove the service: the calls it makes to CloudFormation, S3,
// Lambda, CloudWatch Logs, STS and ECR. It resolves stacks like CloudFormation and
// refuses what CloudFormation would: errors in the template, violations of the resource
// types' schemas, code that is not in its bucket, names that are taken. Stacks do not run
// here; tests that want one to run start it themselves.
//
// An unknown call is answered with an error and recorded: see Unknown.
package controlplane

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"time"

	"serverless-websocket/integration/environments/cloudformation/validator"
)

// AccountID is the account in which everything lives.
const AccountID = "123456789012"

// Server is a running control plane. Its methods are safe for concurrent use.
type Server struct {
	// URL is the value for the environment variable AWS_ENDPOINT_URL.
	URL      string
	http     *httptest.Server
	validate func(template []byte) ([]validator.Finding, error)

	mu        sync.Mutex // guards everything below
	stacks    map[key]*stack
	buckets   map[string]*bucket
	functions map[key]*function
	streams   map[key][]stream // of log groups
	unknown   []string
	serial    int
}

// key is a name in a region.
type key struct{ region, name string }

// Start starts a control plane without stacks on a free port. validate checks templates
// against the schemas of resource types.
func Start(validate func(template []byte) ([]validator.Finding, error)) *Server {
	s := &Server{
		validate: validate,
		stacks:   map[key]*stack{}, buckets: map[string]*bucket{}, functions: map[key]*function{}, streams: map[key][]stream{},
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends the control plane.
func (s *Server) Close() { s.http.Close() }

// Unknown returns the calls so far that the control plane did not know.
func (s *Server) Unknown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.unknown...)
}

// call is a request to one of the APIs.
type call struct {
	*http.Request
	region, service string
	body            []byte
}

// apiError is an error in the form that the APIs return.
type apiError struct {
	status        int
	code, message string
}

func (e apiError) Error() string { return e.code + ": " + e.message }

func invalid(format string, args ...any) error {
	return apiError{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...)}
}

// scope finds the region and the service that a signature is for.
var scope = regexp.MustCompile(`Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request`)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	signed := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if err != nil || signed == nil {
		http.Error(w, "not signed, or cut off", http.StatusForbidden)
		return
	}
	c := call{r, signed[1], signed[2], body}
	w.Header().Set("X-Amzn-RequestId", "request")
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c.service {
	case "cloudformation":
		answerQuery(w, c, s.cloudFormation)
	case "sts":
		answerQuery(w, c, s.sts)
	case "s3":
		s.s3(w, c)
	case "lambda":
		answerJSON(w, c, s.lambda)
	case "logs":
		answerJSON(w, c, s.logs)
	case "ecr":
		answerJSON(w, c, s.ecr)
	default:
		answerJSON(w, c, func(c call) (any, error) { return nil, s.doesNotKnow(c, "") })
	}
}

// doesNotKnow records a call that the control plane does not know.
func (s *Server) doesNotKnow(c call, operation string) error {
	what := fmt.Sprintf("%s %s %s %s", c.service, operation, c.Method, c.URL)
	s.unknown = append(s.unknown, what)
	return apiError{http.StatusNotImplemented, "NotImplemented", "the control plane of the tests does not know " + what}
}

func (s *Server) sts(c call, action string) (any, error) {
	if action != "GetCallerIdentity" {
		return nil, s.doesNotKnow(c, action)
	}
	return struct{ Account, Arn, UserId string }{AccountID, "arn:aws:iam::" + AccountID + ":user/deployer", "DEPLOYER"}, nil
}

// next returns an unused number.
func (s *Server) next() int {
	s.serial++
	return s.serial
}

// now is in UTC and in milliseconds, like the APIs.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
