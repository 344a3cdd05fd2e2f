package template_test

import (
	"strings"
	"testing"

	"serverless-websocket/integration/environments/cloudformation"
)

// The stage dev keeps no messages, and prod does: only prod has the table, and functions
// that name it and may use it.
func TestTheTableOfMessagesIsThereIfTheyAreKept(t *testing.T) {
	for stage, kept := range map[string]bool{"dev": false, "prod": true} {
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
		resource, exists := stack.Resources["LogsTable"]
		if exists != kept || stack.Outputs["LogsTableName"] != resource.PhysicalID {
			t.Errorf("%s: the table is there: %t, and the output is %q", stage, exists, stack.Outputs["LogsTableName"])
		}
		for id, uses := range map[string]string{
			"FanOutLambdaFunction": "LOGS_TABLE", "RoomsLambdaFunction": "LOGS_TABLE", "HistoryLambdaFunction": "LOGS_TABLE",
			"FanOutRole": "LogsTable", "RoomsRole": "LogsTable", "HistoryRole": "LogsTable",
		} {
			if has := strings.Contains(text(stack.Resources[id].Properties), uses); has != kept {
				t.Errorf("%s: %s has %s: %t", stage, id, uses, has)
			}
		}
	}
}
