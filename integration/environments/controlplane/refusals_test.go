package controlplane

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChangeSetsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		template   string
		parameters []string
		want       string
	}{
		"unknown reference":  {template(`"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}`), nil, "Resources/Q/Properties/QueueName/Ref: unknown reference: there is no Name"},
		"circle":             {template(`"A": {"Type": "T", "DependsOn": "A"}`), nil, "circular dependency"},
		"no JSON":            {`Resources:`, nil, "Template format error"},
		"too large":          {template(queue) + strings.Repeat(" ", maxTemplateBody), nil, "less than or equal to 51200"},
		"no object":          {"", []string{"TemplateURL", "https://s3.amazonaws.com/code/template.json"}, "S3 error"},
		"role":               {template(noName), nil, "Requires capabilities : [CAPABILITY_IAM]"},
		"named role":         {template(role), []string{"Capabilities.member.1", "CAPABILITY_IAM"}, "Requires capabilities : [CAPABILITY_NAMED_IAM]"},
		"update of no stack": {template(queue), []string{"ChangeSetType", "UPDATE"}, "Stack [app-dev] does not exist"},
		"unknown parameter":  {template(queue), []string{"Parameters.member.1.ParameterKey", "P", "Parameters.member.1.ParameterValue", "x"}, "no such parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			parameters := append([]string{"ChangeSetType", "CREATE", "TemplateBody", c.template}, c.parameters...)
			status, body := stacks(t, s, seoul, "CreateChangeSet", parameters...)
			if status != http.StatusBadRequest || !strings.Contains(body, c.want) {
				t.Errorf("%d %s, want %q", status, body, c.want)
			}
			if status, _ := stacks(t, s, seoul, "DescribeStacks"); status != http.StatusBadRequest {
				t.Error("there is a stack")
			}
		})
	}
}

// Errors that only show when a change set is executed are in the events, and nothing has
// changed.
func TestChangesAreRolledBack(t *testing.T) {
	for name, c := range map[string]struct{ resources, want string }{
		"property":   {theBucket + "," + wrong, "Properties validation failed for resource Queue with message: Properties.Wrong: not allowed"},
		"no code":    {theBucket + aFunction, "S3 Error Code: NoSuchKey"},
		"no bucket":  {theBucket + strings.Replace(aFunction, `"code"`, `"other"`, 1), "S3 Error Code: NoSuchBucket"},
		"name taken": {theBucket + "," + role, "worker already exists in stack"},
		"name twice": {theBucket + "," + queue + "," + strings.Replace(queue, "Queue", "Second", 1), "jobs already exists, as Queue"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			deploy(t, s, dublin, "CREATE", template(role))
			deploy(t, s, seoul, "CREATE", template(theBucket))
			before, _, _ := s.Stack(seoul, "app-dev")
			deploy(t, s, seoul, "UPDATE", template(c.resources))
			after, _, _ := s.Stack(seoul, "app-dev")
			if diff := cmp.Diff(before, after); diff != "" {
				t.Error(diff)
			}
			_, events := stacks(t, s, seoul, "DescribeStackEvents")
			for _, want := range []string{"UPDATE_FAILED", c.want, "UPDATE_ROLLBACK_COMPLETE"} {
				if !strings.Contains(events, want) {
					t.Errorf("no %q among the events %s", want, events)
				}
			}
			deploy(t, s, seoul, "UPDATE", template(theBucket+","+queue))
		})
	}
}

// Names are unique per region, those of roles and buckets across all regions.
func TestTakenNames(t *testing.T) {
	for name, c := range map[string]struct {
		resource string
		region   string
		taken    bool
	}{
		"role, other region":   {role, dublin, true},
		"bucket, other region": {theBucket, dublin, true},
		"queue, other region":  {queue, dublin, false},
		"queue, same region":   {queue, seoul, true},
		"no name":              {`"Queue": {"Type": "AWS::SQS::Queue"}`, seoul, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			deploy(t, s, seoul, "CREATE", template(c.resource))
			deploy(t, s, c.region, "CREATE", template(c.resource), "StackName", "other-dev")
			if _, _, deployed := s.Stack(c.region, "other-dev"); deployed == c.taken {
				t.Errorf("deployed: %v", deployed)
			}
		})
	}
}
