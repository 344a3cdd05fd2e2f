package template_test

import (
	"strings"
	"testing"

	"serverless-websocket/integration/environments/cloudformation"
)

// The stage dev keeps messages, as by default, and this prod does not: only dev has the
// tables, and functions that name them and may use them.
func TestTheTablesOfMessagesAreThereIfTheyAreKept(t *testing.T) {
	for stage, days := range map[string]string{"dev": "7", "prod": "0"} {
		kept := days != "0"
		if got := packages(t)[stage].settings()["historyDays"]; got != days {
			t.Errorf("%s keeps messages for %s days", stage, got)
		}
		parsed, err := cloudformation.Parse(readFile(t, packages(t)[stage].templatePath))
		if err != nil {
			t.Fatal(err)
		}
		stack, err := parsed.Resolve(cloudformation.Environment{
			Region: "ap-northeast-2", AccountID: "123456789012", StackName: "serverless-websocket-" + stage,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"LogsTable", "ConversationsTable"} {
			resource, exists := stack.Resources[table]
			if exists != kept || stack.Outputs[table+"Name"] != resource.PhysicalID {
				t.Errorf("%s: %s is there: %t, and the output is %q", stage, table, exists, stack.Outputs[table+"Name"])
			}
		}
		for function, talks := range map[string]bool{"FanOut": true, "History": true, "Rooms": false} {
			program, role := text(stack.Resources[function+"LambdaFunction"].Properties), text(stack.Resources[function+"Role"].Properties)
			for _, uses := range []struct {
				in, name string
				want     bool
			}{
				{program, "LOGS_TABLE", kept}, {role, "LogsTable", kept},
				{program, "CONVERSATIONS_TABLE", kept && talks}, {role, "ConversationsTable", kept && talks},
			} {
				if has := strings.Contains(uses.in, uses.name); has != uses.want {
					t.Errorf("%s: %s has %s: %t", stage, function, uses.name, has)
				}
			}
		}
	}
}
