package cloudformation

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var environment = Environment{
	Region: "ap-northeast-2", AccountID: "123456789012", StackName: "service-dev",
	Parameters: map[string]string{"Mail": "me@example.com", "Zones": "a,b"},
}

// inTemplate puts a property into a template with everything that the cases refer to.
func inTemplate(property string) string {
	return fmt.Sprintf(`{
		"Parameters": {
			"Mail": {"Type": "String"},
			"Size": {"Type": "Number", "Default": "3"},
			"Zones": {"Type": "CommaDelimitedList"}
		},
		"Conditions": {
			"HasMail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mail"}, ""]}]},
			"IsLarge": {"Fn::Equals": [{"Ref": "Size"}, 4]}
		},
		"Resources": {
			"Subject": {"Type": "Test::Type", "Properties": {"P": %s}},
			"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-jobs"}}},
			"Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/team/", "RoleName": "worker"}},
			"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}},
			"Large": {"Type": "Test::Type", "Condition": "IsLarge"}
		}
	}`, property)
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		property string
		want     any
	}{
		"plain":                {`[1, true, null, "x"]`, []any{1.0, true, nil, "x"}},
		"ref of a parameter":   {`{"Ref": "Mail"}`, "me@example.com"},
		"default":              {`{"Ref": "Size"}`, "3"},
		"list":                 {`{"Ref": "Zones"}`, []any{"a", "b"}},
		"pseudo parameters":    {`{"Fn::Sub": "${AWS::Partition} ${AWS::Region} ${AWS::AccountId} ${AWS::URLSuffix}"}`, "aws ap-northeast-2 123456789012 amazonaws.com"},
		"ref of a queue":       {`{"Ref": "Queue"}`, "https://sqs.ap-northeast-2.amazonaws.com/123456789012/service-dev-jobs"},
		"ref of a topic":       {`{"Ref": "Topic"}`, "arn:aws:sns:ap-northeast-2:123456789012:alarms"},
		"attribute":            {`{"Fn::GetAtt": ["Queue", "Arn"]}`, "arn:aws:sqs:ap-northeast-2:123456789012:service-dev-jobs"},
		"attribute in one":     {`{"Fn::GetAtt": "Queue.QueueName"}`, "service-dev-jobs"},
		"attribute of a topic": {`{"Fn::GetAtt": ["Topic", "TopicName"]}`, "alarms"},
		"path of a role":       {`{"Fn::GetAtt": ["Role", "Arn"]}`, "arn:aws:iam::123456789012:role/team/worker"},
		"sub":                  {`{"Fn::Sub": "${Queue.QueueName} of ${Role}, $5, ${!Literal}"}`, "service-dev-jobs of worker, $5, ${Literal}"},
		"sub with variables":   {`{"Fn::Sub": ["${A} and ${Size}", {"A": {"Ref": "Role"}}]}`, "worker and 3"},
		"join":                 {`{"Fn::Join": ["-", ["a", 1048576, {"Ref": "Size"}]]}`, "a-1048576-3"},
		"join of a list":       {`{"Fn::Join": ["-", {"Ref": "Zones"}]}`, "a-b"},
		"split and select":     {`{"Fn::Select": [1, {"Fn::Split": ["@", {"Ref": "Mail"}]}]}`, "example.com"},
		"if, taken":            {`{"Fn::If": ["HasMail", {"Ref": "Size"}, "no"]}`, "3"},
		"if, not taken":        {`{"Fn::If": ["IsLarge", {"Ref": "Large"}, "no"]}`, "no"},
		"no value, member":     {`{"a": {"Ref": "AWS::NoValue"}, "b": 1}`, map[string]any{"b": 1.0}},
		"no value, element":    {`[{"Fn::If": ["IsLarge", 1, {"Ref": "AWS::NoValue"}]}, 2]`, []any{2.0}},
		"member Condition":     {`{"Condition": {"Bool": {"aws:SecureTransport": false}}}`, map[string]any{"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": false}}}},
	} {
		t.Run(name, func(t *testing.T) {
			stack := resolve(t, inTemplate(c.property), environment)
			if diff := cmp.Diff(map[string]any{"P": c.want}, stack.Resources["Subject"].Properties); diff != "" {
				t.Error(diff)
			}
			if _, ok := stack.Resources["Large"]; ok {
				t.Error("there is a resource whose condition does not hold")
			}
		})
	}
}

func TestResolveConditions(t *testing.T) {
	const yes, no = `{"Fn::Equals": ["a", "a"]}`, `{"Fn::Equals": ["a", "b"]}`
	for name, c := range map[string]struct {
		expression string
		want       bool
	}{
		"equals":       {yes, true},
		"not equals":   {no, false},
		"numbers":      {`{"Fn::Equals": [10, "10"]}`, true},
		"not":          {`{"Fn::Not": [` + no + `]}`, true},
		"not of true":  {`{"Fn::Not": [` + yes + `]}`, false},
		"and":          {`{"Fn::And": [` + yes + `,` + yes + `]}`, true},
		"and, one not": {`{"Fn::And": [` + yes + `,` + no + `]}`, false},
		"or":           {`{"Fn::Or": [` + no + `,` + yes + `]}`, true},
		"or, none":     {`{"Fn::Or": [` + no + `,` + no + `]}`, false},
		"another":      {`{"Condition": "Other"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			source := `{"Conditions": {"C": ` + c.expression + `, "Other": ` + yes + `},
				"Resources": {"Always": {"Type": "T"}, "R": {"Type": "T", "Condition": "C"}},
				"Outputs": {"O": {"Condition": "C", "Value": {"Ref": "R"}}}}`
			stack := resolve(t, source, Environment{StackName: "s"})
			if _, got := stack.Resources["R"]; got != c.want {
				t.Errorf("the resource exists: %v", got)
			}
			if _, got := stack.Outputs["O"]; got != c.want {
				t.Errorf("the output exists: %v", got)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		property string
		kind     error
		path     string // below the property
	}{
		"unknown ref":             {`{"Ref": "Quue"}`, ErrUnknownReference, "/Ref"},
		"unknown pseudo":          {`{"Ref": "AWS::Regions"}`, ErrUnknownReference, "/Ref"},
		"unknown in get":          {`{"Fn::GetAtt": ["Quue", "Arn"]}`, ErrUnknownReference, "/Fn::GetAtt"},
		"unknown attribute":       {`{"Fn::GetAtt": ["Queue", "Arm"]}`, ErrUnknownReference, "/Fn::GetAtt"},
		"attribute of no known":   {`{"Fn::GetAtt": ["Subject", "Arn"]}`, ErrUnknownReference, "/Fn::GetAtt"},
		"unknown in sub":          {`["x", {"Fn::Sub": "${Queue} ${Quue}"}]`, ErrUnknownReference, "/1/Fn::Sub/Ref"},
		"unknown in a variable":   {`{"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}`, ErrUnknownReference, "/Fn::Sub/A/Ref"},
		"in the branch not taken": {`{"Fn::If": ["HasMail", 1, {"Ref": "Quue"}]}`, ErrUnknownReference, "/Fn::If/2/Ref"},
		"unknown condition":       {`{"Fn::If": ["HasMale", 1, 2]}`, ErrUnknownReference, "/Fn::If"},
		"left out":                {`{"Ref": "Large"}`, ErrUnknownReference, "/Ref"},
		"unknown function":        {`{"Fn::Base64": "x"}`, ErrUnknownFunction, "/Fn::Base64"},
		"function beside others":  {`{"Fn::Sub": "x", "y": 1}`, ErrMalformed, ""},
		"no text":                 {`{"Fn::Join": ["", [["x"]]]}`, ErrMalformed, "/Fn::Join/0"},
		"no list":                 {`{"Fn::Join": ["", "x"]}`, ErrMalformed, "/Fn::Join/1"},
		"no such element":         {`{"Fn::Select": [2, {"Ref": "Zones"}]}`, ErrMalformed, "/Fn::Select"},
		"itself":                  {`{"Ref": "Subject"}`, ErrCircular, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			err := refusal(t, inTemplate(c.property), environment)
			want := "Resources/Subject/Properties/P" + c.path
			if c.path == "-" {
				want = "Resources/Subject"
			}
			if !errors.Is(err, c.kind) || err.LogicalID != "Subject" || err.Path != want {
				t.Errorf("%v (%s at %q), want %v at %q", err, err.LogicalID, err.Path, c.kind, want)
			}
		})
	}
}

func TestResolveRefusesTemplates(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		kind   error
		want   string
	}{
		"depends on nothing": {`{"Resources": {"A": {"Type": "T", "DependsOn": "B"}}}`, ErrUnknownReference, "Resources/A/DependsOn: unknown reference: there is no B"},
		"depends on what is left out": {`{"Conditions": {"C": {"Fn::Equals": [1, 2]}},
			"Resources": {"A": {"Type": "T", "DependsOn": ["B"]}, "B": {"Type": "T", "Condition": "C"}}}`,
			ErrUnknownReference, "Resources/A/DependsOn: unknown reference: B is left out by the condition C"},
		"circle": {`{"Resources": {"A": {"Type": "T", "DependsOn": "B"}, "B": {"Type": "T", "Properties": {"P": {"Ref": "C"}}},
			"C": {"Type": "T", "Properties": {"P": {"Fn::Sub": "${A}"}}}}}`, ErrCircular, "A → B → C → A"},
		"name of itself":        {`{"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "A"}}}}}`, ErrCircular, "Resources/A"},
		"condition of nothing":  {`{"Resources": {"A": {"Type": "T", "Condition": "C"}}}`, ErrUnknownReference, "Resources/A/Condition"},
		"condition of itself":   {`{"Conditions": {"C": {"Fn::Not": [{"Condition": "C"}]}}, "Resources": {"A": {"Type": "T"}}}`, ErrCircular, "Conditions/C"},
		"condition on resource": {`{"Conditions": {"C": {"Fn::Equals": [{"Ref": "A"}, 1]}}, "Resources": {"A": {"Type": "T"}}}`, ErrUnknownReference, "no condition can refer to"},
		"output of nothing":     {`{"Resources": {"A": {"Type": "T"}}, "Outputs": {"O": {"Value": {"Ref": "B"}}}}`, ErrUnknownReference, "Outputs/O/Value/Ref"},
		"export of nothing":     {`{"Resources": {"A": {"Type": "T"}}, "Outputs": {"O": {"Value": "x", "Export": {"Name": {"Ref": "B"}}}}}`, ErrUnknownReference, "Outputs/O/Export/Name"},
		"parameter unset":       {`{"Parameters": {"P": {"Type": "String"}}, "Resources": {"A": {"Type": "T"}}}`, ErrMalformed, "Parameters/P"},
		"parameter not allowed": {`{"Parameters": {"P": {"Type": "String", "Default": "x", "AllowedValues": ["y"]}}, "Resources": {"A": {"Type": "T"}}}`, ErrMalformed, `"x" is none of ["y"]`},
	} {
		t.Run(name, func(t *testing.T) {
			err := refusal(t, c.source, Environment{StackName: "s"})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
	err := refusal(t, `{"Resources": {"A": {"Type": "T"}}}`, Environment{Parameters: map[string]string{"P": "x"}})
	if !errors.Is(err, ErrUnknownReference) || err.LogicalID != "P" {
		t.Errorf("a parameter that the template does not have: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, source := range map[string]string{
		"no JSON":           `Resources:`,
		"no resources":      `{"Resources": {}}`,
		"no type":           `{"Resources": {"A": {}}}`,
		"unknown section":   `{"Resource": {}, "Resources": {"A": {"Type": "T"}}}`,
		"unknown attribute": `{"Resources": {"A": {"Type": "T", "Propertys": {}}}}`,
	} {
		var wrong *Error
		if _, err := Parse([]byte(source)); !errors.As(err, &wrong) || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Resources that run on this machine have local addresses.
func TestResolveWithOtherIdentities(t *testing.T) {
	env := environment
	env.PhysicalID = func(id, resourceType string) string {
		if resourceType == "AWS::SQS::Queue" {
			return "http://127.0.0.1:4566/000000000000/" + id
		}
		return ""
	}
	env.Attribute = func(id, resourceType, attribute string) (string, bool) {
		return "worker of " + resourceType, id == "Role" && attribute == "Arn"
	}
	property := `[{"Ref": "Queue"}, {"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::GetAtt": ["Role", "Arn"]}, {"Ref": "Role"}]`
	want := []any{"http://127.0.0.1:4566/000000000000/Queue", "arn:aws:sqs:ap-northeast-2:123456789012:Queue",
		"worker of AWS::IAM::Role", "worker"}
	stack := resolve(t, inTemplate(property), env)
	if diff := cmp.Diff(want, stack.Resources["Subject"].Properties["P"]); diff != "" {
		t.Error(diff)
	}
	if got := stack.Resources["Queue"].PhysicalID; got != want[0] {
		t.Errorf("the queue is %s", got)
	}
}

func TestGeneratedNames(t *testing.T) {
	source := `{"Resources": {
		"ServerlessDeploymentBucket": {"Type": "AWS::S3::Bucket"},
		"WebsocketsApi": {"Type": "AWS::ApiGatewayV2::Api"},
		"Queue": {"Type": "AWS::SQS::Queue"}}}`
	one := resolve(t, source, Environment{StackName: "serverless-websocket-staging", Region: "r", AccountID: "1"})
	again := resolve(t, source, Environment{StackName: "serverless-websocket-staging", Region: "r", AccountID: "1"})
	other := resolve(t, source, Environment{StackName: "serverless-websocket-stage", Region: "r", AccountID: "1"})
	abroad := resolve(t, source, Environment{StackName: "serverless-websocket-staging", Region: "s", AccountID: "1"})
	for id, resource := range one.Resources {
		if got := again.Resources[id].PhysicalID; got != resource.PhysicalID {
			t.Errorf("%s is %s once and then %s", id, resource.PhysicalID, got)
		}
		if other.Resources[id].PhysicalID == resource.PhysicalID {
			t.Errorf("%s is the same in two stacks: %s", id, resource.PhysicalID)
		}
		if abroad.Resources[id].PhysicalID == resource.PhysicalID {
			t.Errorf("%s is the same in two regions: %s", id, resource.PhysicalID)
		}
	}
	bucket := one.Resources["ServerlessDeploymentBucket"].PhysicalID
	if len(bucket) > 63 || bucket != strings.ToLower(bucket) {
		t.Errorf("S3 would not take the name %s", bucket)
	}
	if api := one.Resources["WebsocketsApi"].PhysicalID; len(api) != 10 {
		t.Errorf("the API's id is %s", api)
	}
	if got := len(one.OfType("AWS::SQS::Queue")); got != 1 {
		t.Errorf("%d queues", got)
	}
}

func resolve(t *testing.T, source string, env Environment) *Stack {
	t.Helper()
	parsed, err := Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	stack, err := parsed.Resolve(env)
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

func refusal(t *testing.T, source string, env Environment) *Error {
	t.Helper()
	parsed, err := Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	stack, err := parsed.Resolve(env)
	var wrong *Error
	if stack != nil || !errors.As(err, &wrong) {
		t.Fatalf("%v, %v, want an *Error", stack, err)
	}
	return wrong
}
