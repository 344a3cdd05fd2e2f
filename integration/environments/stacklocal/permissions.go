package stacklocal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/awslocal"
)

// texts is a text or a list of texts; a policy can have either.
type texts []string

func (t *texts) UnmarshalJSON(source []byte) error {
	var one string
	if json.Unmarshal(source, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(source, (*[]string)(t))
}

// checkRole finds statements that would be read wrongly: wildcards in actions, and denials.
func (p *plan) checkRole(r roleProperties) error {
	for _, policy := range r.Policies {
		for _, s := range policy.PolicyDocument.Statement {
			if s.Effect != "Allow" || strings.ContainsAny(strings.Join(s.Action, ""), "*?") {
				return fmt.Errorf("a statement with effect %s for %s: only single actions are allowed here", s.Effect, s.Action)
			}
		}
	}
	return nil
}

// request is an action on a resource, by its local name.
type request struct{ action, resource string }

// permissions are the requests that a role allows.
type permissions map[request]bool

func (s *Stack) permissions(role string) permissions {
	p := make(permissions)
	for _, policy := range s.plan.roles[role].Policies {
		for _, statement := range policy.PolicyDocument.Statement {
			for _, action := range statement.Action {
				for _, resource := range statement.Resource {
					p[request{action, s.localResource(resource)}] = true
				}
			}
		}
	}
	return p
}

// localResource is how requests name the table, the queue or the parameter of an ARN.
func (s *Stack) localResource(arn string) string {
	name := nameOf(arn)
	if _, parameter, ok := strings.Cut(arn, ":parameter/"); ok {
		return "/" + parameter
	}
	if url, ok := s.plan.queueURLs[name]; ok {
		return s.addresses.local(url)
	}
	return s.addresses.local(name)
}

// guard starts the way of a function to a service: what its role does not allow is
// answered as AWS does, and the rest goes on.
func (p permissions) guard(t testing.TB, service, endpoint string, on awslocal.Fault) string {
	return awslocal.Proxy(t, endpoint, func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !p.allow(requests(service, operation, body)) {
			awslocal.WriteError(w, http.StatusBadRequest, "AccessDeniedException")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		on(w, r, operation, next)
	})
}

// allow reports whether all requests are allowed; there must be one.
func (p permissions) allow(all []request) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(one request) bool { return !p[one] })
}

// requests reads what a call of a service needs permissions for. A call for several
// messages needs that for one, and a transaction those for its parts.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
func requests(service, operation string, body []byte) (all []request) {
	var call struct {
		TableName, QueueUrl, Name string
		RequestItems              map[string]json.RawMessage
		TransactItems             []map[string]struct{ TableName string }
	}
	if json.Unmarshal(body, &call) != nil {
		return nil
	}
	for _, part := range call.TransactItems {
		for kind, on := range part {
			all = append(all, request{service + ":" + kind + "Item", on.TableName})
		}
	}
	resources := slices.Collect(maps.Keys(call.RequestItems))
	for _, resource := range []string{call.TableName, call.QueueUrl, call.Name} {
		if resource != "" {
			resources = append(resources, resource)
		}
	}
	if service == "sqs" {
		operation = strings.TrimSuffix(operation, "Batch")
	}
	for _, resource := range resources {
		all = append(all, request{service + ":" + operation, resource})
	}
	return all
}

// pass lets every request through.
func pass(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) { next.ServeHTTP(w, r) }
