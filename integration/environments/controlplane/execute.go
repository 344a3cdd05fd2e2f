package controlplane

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"serverless-websocket/integration/environments/cloudformation"
)

// executeChangeSet deploys a change set, or rolls it back with the reason in an event.
// Either is complete when it answers.
func (s *Server) executeChangeSet(c call, st *stack) (any, error) {
	set, err := st.changeSet(c)
	if err != nil {
		return nil, err
	}
	if set.status != "CREATE_COMPLETE" {
		return nil, apiError{http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [" + set.name + "] cannot be executed in its current status of [" + set.status + "]"}
	}
	st.change = nil
	verb, rollback := "UPDATE", "UPDATE_ROLLBACK"
	if set.kind == "CREATE" {
		verb, rollback = "CREATE", "ROLLBACK"
	}
	s.note(st, st.name, stackType, verb+"_IN_PROGRESS", "User Initiated")
	refused, err := s.refusals(st, set)
	if err != nil {
		return nil, err
	}
	if len(refused) > 0 {
		s.rollBack(st, verb, rollback, refused)
		return struct{}{}, nil
	}
	s.apply(st, set)
	s.note(st, st.name, stackType, verb+"_COMPLETE", "")
	return struct{}{}, nil
}

// refusal is why a resource cannot be created or updated.
type refusal struct{ logicalID, resourceType, reason string }

func (s *Server) rollBack(st *stack, verb, rollback string, refused []refusal) {
	var ids []string
	for _, r := range refused {
		s.note(st, r.logicalID, r.resourceType, verb+"_FAILED", r.reason)
		ids = append(ids, r.logicalID)
	}
	reason := fmt.Sprintf("The following resource(s) failed to %s: [%s].", strings.ToLower(verb), strings.Join(ids, ", "))
	s.note(st, st.name, stackType, rollback+"_IN_PROGRESS", reason)
	s.note(st, st.name, stackType, rollback+"_COMPLETE", "")
}

// refusals returns what CloudFormation would refuse in the change set.
func (s *Server) refusals(st *stack, set *changeSet) ([]refusal, error) {
	findings, err := s.validate(set.template)
	if err != nil {
		return nil, err
	}
	var refused []refusal
	for _, f := range findings {
		if f.Refused() {
			reason := fmt.Sprintf("Properties validation failed for resource %s with message: %s: %s", f.Entity.LogicalID, f.PropertyPath, f.Message)
			refused = append(refused, refusal{f.Entity.LogicalID, orStack(f.Entity.ResourceType), reason})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(set.resolved.Resources)) {
		r := set.resolved.Resources[id]
		for _, reason := range []string{s.missingCode(r), s.takenName(st, r), namedTwice(set.resolved, r)} {
			if reason != "" {
				refused = append(refused, refusal{id, r.Type, reason})
			}
		}
	}
	return refused, nil
}

func orStack(resourceType string) string {
	if resourceType == "" {
		return stackType
	}
	return resourceType
}

// missingCode returns why the code of a function cannot be fetched.
func (s *Server) missingCode(r cloudformation.Resource) string {
	if r.Type != "AWS::Lambda::Function" {
		return ""
	}
	if _, err := s.code(r); err != nil {
		return "Error occurred while GetObject. S3 Error Code: " + err.code + ". S3 Error Message: " + err.message
	}
	return ""
}

// code returns the zip that a function should run.
func (s *Server) code(r cloudformation.Resource) ([]byte, *apiError) {
	location, _ := r.Properties["Code"].(map[string]any)
	b, ok := s.buckets[fmt.Sprint(location["S3Bucket"])]
	if !ok {
		return nil, &noSuchBucket
	}
	o, ok := b.objects[fmt.Sprint(location["S3Key"])]
	if !ok {
		return nil, &noSuchKey
	}
	return o.content, nil
}

// global are the types whose names are the same in every region.
var global = []string{"AWS::IAM::Role", "AWS::S3::Bucket"}

// takenName returns why a resource cannot have its name: another stack has a resource of
// that name.
func (s *Server) takenName(st *stack, r cloudformation.Resource) string {
	for _, other := range s.stacks {
		if other == st || other.resolved == nil || other.region != st.region && !slices.Contains(global, r.Type) {
			continue
		}
		for _, theirs := range other.resolved.Resources {
			if theirs.Type == r.Type && theirs.PhysicalID == r.PhysicalID && named(r) {
				return fmt.Sprintf("%s already exists in stack %s", r.PhysicalID, other.id)
			}
		}
	}
	return ""
}

// namedTwice returns why a resource cannot have its name: another resource in its own
// stack has it.
func namedTwice(st *cloudformation.Stack, r cloudformation.Resource) string {
	for _, other := range st.OfType(r.Type) {
		if other.LogicalID < r.LogicalID && other.PhysicalID == r.PhysicalID && named(r) {
			return fmt.Sprintf("%s already exists, as %s", r.PhysicalID, other.LogicalID)
		}
	}
	return ""
}

// named reports whether the type has names that must be unique.
func named(r cloudformation.Resource) bool {
	return slices.Contains([]string{
		"AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SQS::Queue",
	}, r.Type)
}

// apply applies the change set to the stack.
func (s *Server) apply(st *stack, set *changeSet) {
	for _, one := range set.changes {
		status := map[string]string{"Add": "CREATE_COMPLETE", "Modify": "UPDATE_COMPLETE", "Remove": "DELETE_COMPLETE"}[one.action]
		s.note(st, one.logicalID, one.resourceType, status, "")
		if one.action == "Remove" {
			old := st.resolved.Resources[one.logicalID]
			s.forget(st.region, &cloudformation.Stack{Resources: map[string]cloudformation.Resource{one.logicalID: old}})
			continue
		}
		s.make(st.region, set.resolved.Resources[one.logicalID])
	}
	st.parsed, st.resolved, st.tags = set.parsed, set.resolved, set.tags
}

// make creates the stand-in's own objects for a new or changed resource.
func (s *Server) make(region string, r cloudformation.Resource) {
	switch r.Type {
	case "AWS::S3::Bucket":
		if s.buckets[r.PhysicalID] == nil {
			s.buckets[r.PhysicalID] = &bucket{region: region, objects: map[string]object{}}
		}
	case "AWS::Logs::LogGroup":
		if s.streams[key{region, r.PhysicalID}] == nil {
			s.streams[key{region, r.PhysicalID}] = []stream{}
		}
	case "AWS::Lambda::Function":
		code, _ := s.code(r) // refusals has checked
		s.functions[key{region, r.PhysicalID}] = &function{name: r.PhysicalID, code: code, properties: r.Properties, modified: now()}
	}
}
