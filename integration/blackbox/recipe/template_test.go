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

// queueAccess are the parts of sendMessage's blocks that a function without a queue does
// not have.
var queueAccess = []string{
	"    environment:\n      JOBS_QUEUE_URL: !Ref JobsQueue\n      BROADCAST_BY: ${param:broadcastBy}\n",
	"                - Effect: Allow\n                  Action: sqs:SendMessage\n                  Resource: !GetAtt JobsQueue.Arn\n",
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
			for _, part := range queueAccess {
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
		copied, err := json.Marshal(withoutQueue(value))
		if err != nil {
			return "", err
		}
		resources[modeled.Replace(name)] = json.RawMessage(modeled.Replace(string(copied)))
	}
	out, err := json.MarshalIndent(resources, "", "  ")
	return string(out) + "\n", err
}

// withoutQueue drops the statements that allow to send to a queue.
func withoutQueue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			value[key] = withoutQueue(member)
		}
	case []any:
		kept := []any{}
		for _, element := range value {
			if statement, ok := element.(map[string]any); !ok || statement["Action"] != "sqs:SendMessage" {
				kept = append(kept, withoutQueue(element))
			}
		}
		return kept
	}
	return value
}
