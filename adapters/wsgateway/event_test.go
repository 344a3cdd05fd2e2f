package wsgateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// variable has patterns for the values that differ between runs. The golden files
// have their names in angle brackets instead.
var variable = map[string]*regexp.Regexp{
	"connectionId":      regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`),
	"messageId":         regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`),
	"extendedRequestId": regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`),
	"requestId":         regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
	"requestTime":       regexp.MustCompile(`^\d\d/[A-Z][a-z]{2}/20\d\d:\d\d:\d\d:\d\d \+0000$`),
	"requestTimeEpoch":  regexp.MustCompile(`^1[0-9]{12}$|^1\.[0-9]+e\+12$`),
	"connectedAt":       regexp.MustCompile(`^1[0-9]{12}$|^1\.[0-9]+e\+12$`),
	"Sec-Websocket-Key": regexp.MustCompile(`^[A-Za-z0-9+/]{22}==$`),
}

// normalise replaces the variable values in a decoded event.
func normalise(t *testing.T, value any) {
	object, _ := value.(map[string]any)
	for name, member := range object {
		pattern, ok := variable[name]
		if !ok {
			normalise(t, member)
			continue
		}
		text, err := json.Marshal(member)
		if err != nil {
			t.Fatal(err)
		}
		if !pattern.Match(bytes.Trim(text, `"[]`)) {
			t.Errorf("%s is %s", name, text)
		}
		object[name] = "<" + name + ">"
	}
}

func expectGolden(t *testing.T, got event, file string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var gotJSON, wantJSON any
	if err := json.Unmarshal(text, &gotJSON); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(golden, &wantJSON); err != nil {
		t.Fatal(err)
	}
	normalise(t, gotJSON)
	if diff := cmp.Diff(wantJSON, gotJSON); diff != "" {
		t.Errorf("event differs from %s (-want +got):\n%s", file, diff)
	}
}

func TestEvents(t *testing.T) {
	messages := make(chan event, 1)
	s := serve(t, Config{Stage: "prod", Origins: Origins{"https://chat.example.com"}, Routes: map[string]Route{"sendMessage": {Integration: record(messages)}}})
	c, _, err := websocket.Dial(t.Context(), s.url+"/prod?token=a%20b&tag=1&tag=2", &websocket.DialOptions{
		Host: "chat.example.com",
		HTTPHeader: http.Header{
			"User-Agent": {"golden"},
			"Origin":     {"https://chat.example.com"},
			"X-Many":     {"one", "two"},
		},
		Subprotocols:    []string{"chat"},
		CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	frame := `{"action":"sendMessage","content":"서버리스 <&>"}`
	if err := c.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
	connect, message := await(t, s.connected), await(t, messages)
	c.Close(websocket.StatusNormalClosure, "bye")
	disconnect := await(t, s.gone)

	expectGolden(t, connect, "connect.json")
	expectGolden(t, message, "message.json")
	expectGolden(t, disconnect, "disconnect.json")
	for _, later := range []event{message, disconnect} {
		if later.RequestContext.ConnectionID != connect.RequestContext.ConnectionID {
			t.Error("the connection's id changes")
		}
		if later.RequestContext.ConnectedAt != connect.RequestContext.ConnectedAt {
			t.Error("the time of connecting changes")
		}
		if later.RequestContext.RequestID == connect.RequestContext.RequestID {
			t.Error("two requests with one id")
		}
	}
}
