package template_test

import (
	"strings"
	"testing"

	"serverless-websocket/integration/environments/cloudformation"
)

// The stage dev keeps messages, as by default, and this prod does not: only dev has the
// table, and functions that name it and may use it.
func TestTheTableOfMessagesIsThereIfTheyAreKept(t *testing.T) {
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
