package recipe

import (
	"encoding/json"
	"strings"
)

// modeled gives the names of sendMessage and its resources to those of echo.
var modeled = strings.NewReplacer(
	"SendMessage", "Echo", "sendMessage", "echo", "sendmessage", "echo", "custom.roles}-send", "custom.roles}-echo",
	"-STAGE-ap-northeast-2-send", "-STAGE-ap-northeast-2-echo",
)

// access are the parts of sendMessage's blocks that a function without queues and tables
// does not have.
var access = []string{
	"    environment:\n      CONNECTIONS_TABLE: !Ref ConnectionsTable\n      SUBSCRIPTIONS_TABLE: !Ref SubscriptionsTable\n" +
		"      JOBS_QUEUE_URL: !Ref JobsQueue\n      CHANNELS_QUEUE_URL: !Ref ChannelsQueue\n      BROADCAST_BY: ${param:broadcastBy}\n" +
		"      HISTORY_DAYS: ${param:historyDays}\n",
	"                - Effect: Allow\n                  Action: sqs:SendMessage\n                  Resource:\n" +
		"                    - !GetAtt JobsQueue.Arn\n                    - !GetAtt ChannelsQueue.Arn\n",
	"                - Effect: Allow\n                  Action: dynamodb:GetItem\n                  Resource:\n" +
		"                    - !GetAtt ConnectionsTable.Arn\n                    - !GetAtt SubscriptionsTable.Arn\n",
}

// withEcho adds to serverless.yml a block for echo after each block of sendMessage.
func withEcho(yaml string) string {
	var out strings.Builder
	lines := strings.SplitAfter(yaml, "\n")
	for i := 0; i < len(lines); {
		n := 1
		if name := strings.TrimSpace(lines[i]); strings.HasPrefix(name, "SendMessage") || name == "sendMessage:" {
			n = blockLength(lines[i:])
			block := strings.Join(lines[i:i+n], "")
			for _, part := range access {
				block = strings.ReplaceAll(block, part, "")
			}
			out.WriteString(modeled.Replace(block))
		}
		out.WriteString(strings.Join(lines[i:i+n], ""))
		i += n
	}
	return out.String()
}

// blockLength returns how many lines the first one and those below it have, with the
// blank line at the end.
func blockLength(lines []string) int {
	depth := indentation(lines[0])
	for n := 1; n < len(lines); n++ {
		if strings.TrimSpace(lines[n]) != "" && indentation(lines[n]) <= depth {
			return n
		}
	}
	return len(lines)
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// goldenWithEcho adds to a golden file a resource for echo for each of sendMessage.
func goldenWithEcho(golden string) (string, error) {
	var resources map[string]json.RawMessage
	if err := json.Unmarshal([]byte(golden), &resources); err != nil {
		return "", err
	}
	for name, resource := range resources {
		if !strings.HasPrefix(name, "SendMessage") {
			continue
		}
		var value any
		if err := json.Unmarshal(resource, &value); err != nil {
			return "", err
		}
		copied, err := json.Marshal(withoutAccess(value))
		if err != nil {
			return "", err
		}
		resources[modeled.Replace(name)] = json.RawMessage(modeled.Replace(string(copied)))
	}
	out, err := json.MarshalIndent(resources, "", "  ")
	return string(out) + "\n", err
}

// withoutAccess drops the statements that allow to use queues and tables.
func withoutAccess(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			value[key] = withoutAccess(member)
		}
	case []any:
		kept := []any{}
		for _, element := range value {
			if statement, ok := element.(map[string]any); !ok || statement["Action"] != "sqs:SendMessage" && statement["Action"] != "dynamodb:GetItem" {
				kept = append(kept, withoutAccess(element))
			}
		}
		return kept
	}
	return value
}
