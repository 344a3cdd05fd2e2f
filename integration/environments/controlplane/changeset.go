package controlplane

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"serverless-websocket/integration/environments/cloudformation"
)

// maxTemplateBody is the maximum size of a template in the call itself, in bytes. Larger
// ones come from S3.
const maxTemplateBody = 51200

// changeSet is a planned change of a stack.
type changeSet struct {
	name, kind, status, reason string
	template                   []byte
	parsed                     *cloudformation.Template
	resolved                   *cloudformation.Stack
	tags                       map[string]string
	changes                    []change
}

// change is a change of one resource: Add, Modify or Remove.
type change struct{ action, logicalID, resourceType string }

func (s *Server) validateTemplate(c call) (any, error) {
	template, err := s.templateOf(c.Form)
	if err != nil {
		return nil, err
	}
	_, _, err = resolve(c, template)
	return struct{}{}, err
}

// templateOf returns the template that a call contains or names.
func (s *Server) templateOf(form url.Values) ([]byte, error) {
	if body := form.Get("TemplateBody"); body != "" {
		if len(body) > maxTemplateBody {
			return nil, invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "+
				"Member must have length less than or equal to %d", maxTemplateBody)
		}
		return []byte(body), nil
	}
	at, err := url.Parse(form.Get("TemplateURL"))
	if err != nil {
		return nil, invalid("TemplateURL must be a supported URL.")
	}
	name, objectKey, _ := strings.Cut(strings.TrimPrefix(at.Path, "/"), "/")
	b, ok := s.buckets[name]
	if !ok {
		return nil, invalid("S3 error: %s", noSuchBucket.message)
	}
	o, ok := b.objects[objectKey]
	if !ok {
		return nil, invalid("S3 error: %s", noSuchKey.message)
	}
	return o.content, nil
}

func resolve(c call, template []byte) (*cloudformation.Template, *cloudformation.Stack, error) {
	parsed, err := cloudformation.Parse(template)
	if err != nil {
		return nil, nil, invalid("Template format error: %v", err)
	}
	name, suffix := partition(c.region)
	resolved, err := parsed.Resolve(cloudformation.Environment{
		Region: c.region, AccountID: AccountID, Partition: name, URLSuffix: suffix,
		StackName:  c.Form.Get("StackName"),
		Parameters: pairs(c.Form, "Parameters", "ParameterKey", "ParameterValue"),
	})
	if err != nil {
		return nil, nil, invalid("Template format error: %v", err)
	}
	return parsed, resolved, nil
}

func (s *Server) createChangeSet(c call) (any, error) {
	st, err := s.changing(c)
	if err != nil {
		return nil, err
	}
	set := &changeSet{name: c.Form.Get("ChangeSetName"), kind: c.Form.Get("ChangeSetType"), tags: pairs(c.Form, "Tags", "Key", "Value")}
	if set.template, err = s.templateOf(c.Form); err != nil {
		return nil, err
	}
	if set.parsed, set.resolved, err = resolve(c, set.template); err != nil {
		return nil, err
	}
	if err := checkCapabilities(members(c.Form, "Capabilities", ""), set.resolved); err != nil {
		return nil, err
	}
	set.compare(st)
	st.change = set
	s.stacks[key{st.region, st.name}] = st
	return struct{ Id, StackId string }{set.name, st.id}, nil
}

// changing returns the stack that a change set is for, or a new one if it creates the
// stack.
func (s *Server) changing(c call) (*stack, error) {
	name := c.Form.Get("StackName")
	st, exists := s.stacks[key{c.region, name}]
	create := c.Form.Get("ChangeSetType") == "CREATE"
	switch {
	case create && exists && st.status != "REVIEW_IN_PROGRESS":
		return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, c.Form.Get("ChangeSetName"))
	case !create && !exists:
		return nil, invalid("Stack [%s] does not exist", name)
	case exists && slices.Contains([]string{"ROLLBACK_COMPLETE", "DELETE_FAILED"}, st.status):
		return nil, invalid("Stack:%s is in %s state and can not be updated.", st.id, st.status)
	case exists:
		return st, nil
	}
	id := fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%d", c.region, AccountID, name, s.next())
	return &stack{region: c.region, name: name, id: id, status: "REVIEW_IN_PROGRESS"}, nil
}

// checkCapabilities fails if the caller did not acknowledge the roles.
func checkCapabilities(given []string, resolved *cloudformation.Stack) error {
	for _, r := range resolved.Resources {
		if !strings.HasPrefix(r.Type, "AWS::IAM::") {
			continue
		}
		_, named := r.Properties["RoleName"]
		if named && !slices.Contains(given, "CAPABILITY_NAMED_IAM") {
			return apiError{http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]"}
		}
		if !slices.Contains(given, "CAPABILITY_NAMED_IAM") && !slices.Contains(given, "CAPABILITY_IAM") {
			return apiError{http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"}
		}
	}
	return nil
}

// compare finds what the change set changes. A change set without changes has failed.
func (set *changeSet) compare(st *stack) {
	before := map[string]cloudformation.Resource{}
	sameOutputs := false
	if st.resolved != nil {
		before = st.resolved.Resources
		sameOutputs = same(st.resolved.Outputs, set.resolved.Outputs) && same(st.tags, set.tags)
	}
	for _, id := range slices.Sorted(maps.Keys(set.resolved.Resources)) {
		after := set.resolved.Resources[id]
		if old, ok := before[id]; !ok {
			set.changes = append(set.changes, change{"Add", id, after.Type})
		} else if !same(old, after) {
			set.changes = append(set.changes, change{"Modify", id, after.Type})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if _, ok := set.resolved.Resources[id]; !ok {
			set.changes = append(set.changes, change{"Remove", id, before[id].Type})
		}
	}
	set.status = "CREATE_COMPLETE"
	if len(set.changes) == 0 && sameOutputs {
		set.status = "FAILED"
		set.reason = "The submitted information didn't contain changes. Submit different information to create a change set."
	}
}

func (s *Server) describeChangeSet(c call, st *stack) (any, error) {
	set, err := st.changeSet(c)
	if err != nil {
		return nil, err
	}
	type changed struct{ Action, LogicalResourceId, ResourceType string }
	type member struct{ ResourceChange changed }
	var all []member
	for _, one := range set.changes {
		all = append(all, member{changed{one.action, one.logicalID, one.resourceType}})
	}
	return struct {
		ChangeSetName, StackName, StackId, Status, StatusReason string
		Changes                                                 []member `xml:"Changes>member"`
	}{set.name, st.name, st.id, set.status, set.reason, all}, nil
}

func (st *stack) changeSet(c call) (*changeSet, error) {
	name := c.Form.Get("ChangeSetName")
	if st.change == nil || st.change.name != name {
		return nil, apiError{http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [" + name + "] does not exist"}
	}
	return st.change, nil
}

// deleteChangeSet succeeds if there is none, like CloudFormation.
func (s *Server) deleteChangeSet(c call, st *stack) (any, error) {
	if st.change != nil && st.change.name == c.Form.Get("ChangeSetName") {
		st.change = nil
	}
	return struct{}{}, nil
}
