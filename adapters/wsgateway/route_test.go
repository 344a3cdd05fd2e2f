package wsgateway

import (
	"encoding/json"
	"strings"
	"testing"
)

var routeBodies = map[string]string{
	`{"action":"send"}`:               "send",
	`{"action":"send","content":"x"}`: "send",
	" \n{ \"content\" : [1,{\"action\":\"other\"}] , \"action\" : \"send\" } \n": "send",
	`{"a":"b\"c\\","action":"send"}`:                                             "send",
	`{"\u0061ction":"\u0073end"}`:                                                "send",
	`{"action":"보내기"}`:                                                           "보내기",
	`{"action":"other","action":"send"}`:                                         "send",
	`{"action":"send","action":5}`:                                               defaultRoute,
	`{"Action":"send"}`:                                                          defaultRoute,
	`{"ACTION":"send","x":"action"}`:                                             defaultRoute,
	`{"action":"Send"}`:                                                          defaultRoute,
	`{"action":"send "}`:                                                         defaultRoute,
	`{"action":""}`:                                                              defaultRoute,
	`{"action":null}`:                                                            defaultRoute,
	`{"action":["send"]}`:                                                        defaultRoute,
	`{"action":{"action":"send"}}`:                                               defaultRoute,
	`{"action":5,"x":"send"}`:                                                    defaultRoute,
	`{"x":"action","y":"send"}`:                                                  defaultRoute,
	`{"action":"$connect"}`:                                                      defaultRoute,
	`{"action":"$disconnect"}`:                                                   defaultRoute,
	`{"action":"send"`:                                                           defaultRoute,
	`{"action":"send"} x`:                                                        defaultRoute,
	`[{"action":"send"}]`:                                                        defaultRoute,
	`["action","send"]`:                                                          defaultRoute,
	`"action"`:                                                                   defaultRoute,
	`hello`:                                                                      defaultRoute,
	``:                                                                           defaultRoute,
	`{}`:                                                                         defaultRoute,
	`{"action":"send\ud800"}`:                                                    defaultRoute,
	`{"action\ud800":"send"}`:                                                    defaultRoute,
	`{"action":"send","action\u0000":"other"}`:                                   "send",
	"\ufeff" + `{"action":"send"}`:                                               defaultRoute,
	`{"x":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `,"action":"send"}`: "send",
	strings.Repeat(`{"action":`, 20_000):                                                    defaultRoute,
}

func routed(t testing.TB) *Gateway {
	route := Route{Integration: echo}
	g, err := New(Config{Routes: map[string]Route{
		"send": route, "보내기": route, connectRoute: route, disconnectRoute: route, defaultRoute: route,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSelectRoute(t *testing.T) {
	g := routed(t)
	for body, want := range routeBodies {
		if got := g.selectRoute([]byte(body)); got != want {
			t.Errorf("%.100s selects %s, want %s", body, got, want)
		}
	}
}

// The scan agrees with a decoder that matches names exactly.
func FuzzSelectRoute(f *testing.F) {
	for body := range routeBodies {
		f.Add([]byte(body))
	}
	g := routed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, want := g.selectRoute(body), g.decodeRoute(body); got != want {
			t.Errorf("%q selects %s, a decoder finds %s", body, got, want)
		}
	})
}

func (g *Gateway) decodeRoute(body []byte) string {
	var fields map[string]json.RawMessage
	var action *string
	if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields["action"], &action) != nil || action == nil {
		return defaultRoute
	}
	if _, ok := g.cfg.Routes[*action]; !ok || strings.HasPrefix(*action, "$") {
		return defaultRoute
	}
	return *action
}

func BenchmarkSelectRoute(b *testing.B) {
	g := routed(b)
	body := []byte(`{"action": "send", "content": "서버리스 웹소켓 API 테스트", "ref": "12345678"}`)
	b.ReportAllocs()
	for b.Loop() {
		if g.selectRoute(body) != "send" {
			b.Fatal("wrong route")
		}
	}
}
