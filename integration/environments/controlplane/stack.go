package controlplane

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"serverless-websocket/integration/environments/cloudformation"
)

// stack is a CloudFormation stack.
type stack struct {
	region, name, id string
	status           string
	parsed           *cloudformation.Template
	resolved         *cloudformation.Stack // as parsed is, nil until something was deployed
	tags             map[string]string
	protected        bool
	events           []event // the oldest first
	change           *changeSet
}

type event struct {
	EventId, StackId, StackName           string
	LogicalResourceId, PhysicalResourceId string
	ResourceType, ResourceStatus          string
	ResourceStatusReason                  string `xml:",omitempty"`
	Timestamp                             time.Time
}

const stackType = "AWS::CloudFormation::Stack"

// Stack returns a stack as last deployed, and its template; ok is false if there is none.
func (s *Server) Stack(region, name string) (stack *cloudformation.Stack, template *cloudformation.Template, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.stacks[key{region, name}]; ok && found.resolved != nil {
		return found.resolved, found.parsed, true
	}
	return nil, nil, false
}

// Tags returns the tags of a stack.
func (s *Server) Tags(region, name string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.stacks[key{region, name}]; ok {
		return maps.Clone(found.tags)
	}
	return nil
}

// Protected reports whether the stack is protected from termination.
func (s *Server) Protected(region, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.stacks[key{region, name}]
	return ok && found.protected
}

// Unprotect allows a stack to be deleted, as its owner can in the console.
func (s *Server) Unprotect(region, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.stacks[key{region, name}]; ok {
		found.protected = false
	}
}

// find takes a stack's name or its id.
func (s *Server) find(c call) (*stack, error) {
	name := c.Form.Get("StackName")
	for _, st := range s.stacks {
		if st.region == c.region && (st.name == name || st.id == name) {
			return st, nil
		}
	}
	return nil, invalid("Stack with id %s does not exist", name)
}

func (s *Server) cloudFormation(c call, action string) (any, error) {
	switch action {
	case "ValidateTemplate":
		return s.validateTemplate(c)
	case "CreateChangeSet":
		return s.createChangeSet(c)
	}
	on := map[string]func(call, *stack) (any, error){
		"DescribeStacks":              s.describeStacks,
		"DescribeStackEvents":         s.describeStackEvents,
		"DescribeStackResource":       s.describeStackResource,
		"ListStackResources":          s.listStackResources,
		"DescribeChangeSet":           s.describeChangeSet,
		"DeleteChangeSet":             s.deleteChangeSet,
		"ExecuteChangeSet":            s.executeChangeSet,
		"UpdateTerminationProtection": s.updateTerminationProtection,
		"DeleteStack":                 s.deleteStack,
	}
	handle, ok := on[action]
	if !ok {
		return nil, s.doesNotKnow(c, action)
	}
	found, err := s.find(c)
	if err != nil {
		return nil, err
	}
	return handle(c, found)
}

type description struct {
	StackId, StackName, StackStatus string
	CreationTime                    time.Time
	EnableTerminationProtection     bool
	Outputs                         []output `xml:"Outputs>member"`
	Tags                            []tag    `xml:"Tags>member"`
}

type (
	output struct{ OutputKey, OutputValue string }
	tag    struct{ Key, Value string }
)

func (s *Server) describeStacks(_ call, st *stack) (any, error) {
	d := description{
		StackId: st.id, StackName: st.name, StackStatus: st.status, EnableTerminationProtection: st.protected,
	}
	if len(st.events) > 0 {
		d.CreationTime = st.events[0].Timestamp
	}
	if st.resolved != nil {
		for _, name := range slices.Sorted(maps.Keys(st.resolved.Outputs)) {
			d.Outputs = append(d.Outputs, output{name, st.resolved.Outputs[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(st.tags)) {
		d.Tags = append(d.Tags, tag{name, st.tags[name]})
	}
	return struct {
		Stacks []description `xml:"Stacks>member"`
	}{[]description{d}}, nil
}

// describeStackEvents has the newest first.
func (s *Server) describeStackEvents(_ call, st *stack) (any, error) {
	newest := slices.Clone(st.events)
	slices.Reverse(newest)
	return struct {
		StackEvents []event `xml:"StackEvents>member"`
	}{newest}, nil
}

type resource struct{ LogicalResourceId, PhysicalResourceId, ResourceType, ResourceStatus string }

func (s *Server) describeStackResource(c call, st *stack) (any, error) {
	id := c.Form.Get("LogicalResourceId")
	for _, r := range st.resources() {
		if r.LogicalResourceId == id {
			return struct{ StackResourceDetail resource }{r}, nil
		}
	}
	return nil, invalid("Resource %s does not exist for stack %s", id, st.name)
}

func (s *Server) listStackResources(_ call, st *stack) (any, error) {
	return struct {
		StackResourceSummaries []resource `xml:"StackResourceSummaries>member"`
	}{st.resources()}, nil
}

func (st *stack) resources() []resource {
	var found []resource
	if st.resolved == nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(st.resolved.Resources)) {
		r := st.resolved.Resources[id]
		found = append(found, resource{id, r.PhysicalID, r.Type, "CREATE_COMPLETE"})
	}
	return found
}

func (s *Server) updateTerminationProtection(c call, st *stack) (any, error) {
	st.protected = c.Form.Get("EnableTerminationProtection") == "true"
	return struct{ StackId string }{st.id}, nil
}

// deleteStack leaves a stack whose bucket has objects in it, like CloudFormation.
func (s *Server) deleteStack(_ call, st *stack) (any, error) {
	if st.protected {
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.name)
	}
	s.note(st, st.name, stackType, "DELETE_IN_PROGRESS", "User Initiated")
	if st.resolved != nil {
		for _, r := range st.resolved.OfType("AWS::S3::Bucket") {
			if len(s.buckets[r.PhysicalID].objects) > 0 {
				s.note(st, r.LogicalID, r.Type, "DELETE_FAILED", "The bucket you tried to delete is not empty")
				s.note(st, st.name, stackType, "DELETE_FAILED", "The following resource(s) failed to delete: ["+r.LogicalID+"].")
				return struct{}{}, nil
			}
		}
		s.forget(st.region, st.resolved)
	}
	delete(s.stacks, key{st.region, st.name})
	return struct{}{}, nil
}

// note adds an event. An event of the stack itself also sets its status.
func (s *Server) note(st *stack, logicalID, resourceType, status, reason string) {
	st.events = append(st.events, event{
		EventId: fmt.Sprintf("event-%d", s.next()), StackId: st.id, StackName: st.name,
		LogicalResourceId: logicalID, ResourceType: resourceType,
		ResourceStatus: status, ResourceStatusReason: reason, Timestamp: now(),
	})
	if resourceType == stackType {
		st.status = status
	}
}

// forget removes the stand-in's own objects for resources of a stack.
func (s *Server) forget(region string, st *cloudformation.Stack) {
	for _, r := range st.Resources {
		switch r.Type {
		case "AWS::S3::Bucket":
			delete(s.buckets, r.PhysicalID)
		case "AWS::Lambda::Function":
			delete(s.functions, key{region, r.PhysicalID})
		case "AWS::Logs::LogGroup":
			delete(s.streams, key{region, r.PhysicalID})
		}
	}
}

// same reports whether two values are the same as JSON.
func same(a, b any) bool {
	one, errOne := json.Marshal(a)
	other, errOther := json.Marshal(b)
	return errOne == nil && errOther == nil && string(one) == string(other)
}

// partition is the partition of a region.
func partition(region string) (name, urlSuffix string) {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov", "amazonaws.com"
	}
	return "aws", "amazonaws.com"
}
