package blackbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// TestFanOutAnswersWithAList has the compiled function process a batch in which nothing
// fails: not every event source takes "batchItemFailures":null for success.
func TestFanOutAnswersWithAList(t *testing.T) {
	event, err := os.ReadFile(filepath.Join(testenv.Root(), "adapters/lambdaevent/testdata/fanout_done.event.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := startLambda(t, lambdaConfig{})
	for payload, want := range map[string]string{
		string(event): `{"batchItemFailures":[]}`,
		`{}`:          `{"batchItemFailures":[]}`,
		strings.Replace(string(event), `{\"v\":1,`, `{\"v\":0,`, 1): `{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830a7d"}]}`,
	} {
		got, err := s.functions["fanout"].Invoke(t.Context(), []byte(payload))
		if err != nil || string(got) != want {
			t.Errorf("%.40s: got %s, %v; want %s", payload, got, err, want)
		}
	}
}
