package lambdaevent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

const acceptedReply = `{"accepted":{"id":"01K4ZQ0000000000000000000A"}}`

// nested returns arrays inside one another.
func nested(levels int) string {
	return strings.Repeat("[", levels) + strings.Repeat("]", levels)
}

func TestFrames(t *testing.T) {
	long := strings.Repeat("x", domain.MaxRef)
	for _, test := range []struct {
		name, body string
		status     int
		reply      string // what the reply must hold
	}{
		{"accepted", `{"content":1}`, 200, acceptedReply},
		{"no content", `{"ref":"r"}`, 400, `"message":"'content' not in message dict"`},
		{"null", `{"content":null}`, 400, `"code":"blank_content"`},
		{"blank", `{"content":" \n "}`, 400, `"code":"blank_content"`},
		{"too large", `{"content":"` + strings.Repeat("x", domain.MaxPayload) + `"}`, 413, `"code":"content_too_large"`},

		{"longest ref", `{"content":1,"ref":"` + long + `"}`, 200, long},
		{"ref too long", `{"content":1,"ref":"` + long + `x"}`, 400, `"code":"invalid_ref"`},
		{"ref no string", `{"content":1,"ref":7}`, 400, `"code":"invalid_ref"`},
		{"ref null", `{"content":1,"ref":null}`, 400, `"code":"invalid_ref"`},
		{"ref array", `{"content":1,"ref":["a"]}`, 400, `"code":"invalid_ref"`},
		{"escapes count as what they stand for", `{"content":1,"ref":"` + strings.Repeat(`\u0041`, domain.MaxRef) + `"}`, 200, `\u0041`},
		{"bytes count, not characters", `{"content":1,"ref":"` + strings.Repeat("한", domain.MaxRef/3+1) + `"}`, 400, `"code":"invalid_ref"`},

		{"no JSON", `{"content":1`, 400, `"code":"invalid_json"`},
		{"empty", ``, 400, `"code":"invalid_json"`},
		{"two values", `{"content":1}{"content":2}`, 400, `"code":"invalid_json"`},
		{"byte order mark", "\ufeff" + `{"content":1}`, 400, `"code":"invalid_json"`},
		{"NUL in a string", "{\"content\":\"\x00\"}", 400, `"code":"invalid_json"`},
		{"not UTF-8 in the content", "{\"content\":\"\xff\"}", 400, `"code":"invalid_json"`},
		{"not UTF-8 in the ref", "{\"content\":1,\"ref\":\"\xff\"}", 400, `"code":"invalid_json"`},
		{"not UTF-8 in another member", "{\"content\":1,\"x\":\"\xff\"}", 400, `"code":"invalid_json"`},
		{"not UTF-8 in a name", "{\"content\":1,\"\xff\":1}", 400, `"code":"invalid_json"`},
		{"null frame", `null`, 400, `"code":"not_an_object"`},
		{"array", `[1]`, 400, `"code":"not_an_object"`},
		{"string", `"content"`, 400, `"code":"not_an_object"`},

		{"names match exactly", `{"Content":1}`, 400, `"code":"missing_content"`},
		{"ref matches exactly", `{"content":1,"Ref":7}`, 200, acceptedReply},
		{"name with an escape", `{"c\u006fntent":1}`, 200, acceptedReply},
		{"name with half a surrogate pair", `{"content\ud800":1}`, 400, `"code":"missing_content"`},
		{"the last content counts", `{"content":null,"content":1}`, 200, acceptedReply},
		{"the last content is null", `{"content":1,"content":null}`, 400, `"code":"blank_content"`},
		{"the last ref counts", `{"content":1,"ref":7,"ref":"b"}`, 200, `"ref":"b"}`},

		{"deepest content", `{"content":` + nested(domain.MaxDepth-1) + `}`, 200, acceptedReply},
		{"content too deep", `{"content":` + nested(domain.MaxDepth) + `}`, 400, `"code":"too_deep"`},
		{"content far too deep", `{"content":` + nested(60_000) + `}`, 400, `"code":"too_deep"`},
		{"deepest other member", `{"content":1,"x":` + nested(domain.MaxDepth-1) + `}`, 200, acceptedReply},
		{"other member too deep", `{"content":1,"x":` + nested(domain.MaxDepth) + `}`, 400, `"code":"too_deep"`},
		{"ref too deep", `{"content":1,"ref":` + nested(domain.MaxDepth) + `}`, 400, `"code":"too_deep"`},
		{"objects count too", strings.Repeat(`{"content":`, 513) + `1` + strings.Repeat(`}`, 513), 400, `"code":"too_deep"`},
		{"deep array for a frame", nested(513), 400, `"code":"too_deep"`},
		{"array for a frame at the limit", nested(512), 400, `"code":"not_an_object"`},
		{"deep and broken", strings.Repeat("[", 128<<10), 400, `"code":"too_deep"`},
		{"broken within the limit", `{"content":` + strings.Repeat("[", 511), 400, `"code":"invalid_json"`},
		{"brackets in strings do not count", `{"content":"` + strings.Repeat(`[\"{\\`, 1000) + `"}`, 200, acceptedReply},
	} {
		f := newFunctions()
		response, err := f.send.Handle(context.Background(), message(test.body))
		if err != nil || response.StatusCode != test.status || !strings.Contains(response.Body, test.reply) {
			t.Errorf("%s: %d %s, error %v", test.name, response.StatusCode, response.Body, err)
		}
		if queued := len(f.queue.bodies); queued > 0 != (test.status == 200) {
			t.Errorf("%s: %d messages queued", test.name, queued)
		}
		if test.status != 200 && !strings.Contains(response.Body, `"requestId":"request-1"`) {
			t.Errorf("%s: no requestId in %s", test.name, response.Body)
		}
	}
}

// signedIn returns the event of alice's frame.
func signedIn(body string) events.APIGatewayWebsocketProxyRequest {
	event := message(body)
	event.RequestContext.Authorizer = map[string]any{"principalId": "alice", "user": "alice"}
	return event
}

func TestWhomAFrameIsFor(t *testing.T) {
	for body, want := range map[string]string{
		`{"content":1}`:                                         "everyone",
		`{"content":1,"sender":"eve"}`:                          "",
		`{"content":1,"x":{"to":"bob"}}`:                        "",
		`{"content":1,"roomName":"goals"}`:                      "",
		`{"content":1,"to":"\ud800"}`:                           "",
		`{"content":1,"to":"bob"}`:                              "user:bob",
		`{"content":1,"to":"b\u006fb","ref":"r"}`:               "user:bob",
		`{"content":1,"to":"alice","to":"bob"}`:                 "user:bob",
		`{"content":1,"room":"goals","action":"x"}`:             "room:goals",
		`{"content":1,"to":"everyone"}`:                         "user:everyone",
		`{"content":1,"to":"bob","room":"goals"}`:               "",
		`{"content":1,"to":"bob","room":null}`:                  "",
		`{"content":1,"to":null}`:                               "",
		`{"content":1,"to":""}`:                                 "",
		`{"content":1,"to":7}`:                                  "",
		`{"content":1,"to":["bob"]}`:                            "",
		`{"content":1,"room":{}}`:                               "",
		`{"content":1,"room":"*"}`:                              "",
		`{"content":1,"room":"a b"}`:                            "",
		`{"content":1,"to":"` + strings.Repeat("x", 257) + `"}`: "",
		`{"content":1,"to":"bob","cc":"carol"}`:                 "",
		`{"content":1,"To":"bob"}`:                              "",
		`{"content":1,"ROOM":"goals"}`:                          "",
		`{"content":1," to ":"bob"}`:                            "",
		`{"content":1,"rooms":["goals"]}`:                       "",
		`{"content":1,"channel":"room:goals"}`:                  "",
		`{"content":1,"to":"bob","Content":2}`:                  "",
	} {
		f := newFunctions()
		response, err := f.send.Handle(context.Background(), signedIn(body))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if response.StatusCode != 400 || !strings.Contains(response.Body, `"code":"invalid_recipient"`) || len(f.queue.bodies) > 0 {
				t.Errorf("%s: %s, %d jobs", body, response.Body, len(f.queue.bodies))
			}
			continue
		}
		if len(f.queue.bodies) != 1 {
			t.Fatalf("%s: %s", body, response.Body)
		}
		if job, err := domain.DecodeJob(f.queue.bodies[0]); err != nil || job.To.String() != want {
			t.Errorf("%s: to %s, %v; want %s", body, job.To, err, want)
		}
	}
}

// Whatever the frame of a user has beside its content, it goes to everyone only if it has
// nothing that could name recipients, and to no one if what does is in any way wrong.
func TestNoMistakeInAddressingWidensTheAudience(t *testing.T) {
	name := rapid.SampledFrom([]string{"to", "room", "To", "ROOM", "rooms", " to", "x", "userId", "too", "ref", "action", "channel"})
	value := rapid.SampledFrom([]string{`"bob"`, `"goals"`, `""`, `null`, `7`, `[]`, `["bob"]`, `{"to":"bob"}`, `"a b"`, `true`, `"\ud800"`})
	rapid.Check(t, func(t *rapid.T) {
		frame, names := `{"content":1`, map[string]string{}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			n, v := name.Draw(t, "name"), value.Draw(t, "value")
			frame += `,"` + n + `":` + v
			names[n] = v
		}
		frame += "}"
		f := newFunctions()
		if _, err := f.send.Handle(context.Background(), signedIn(frame)); err != nil {
			t.Fatal(err)
		}
		var to, room string
		addressed := false
		for n := range names {
			addressed = addressed || !slices.Contains([]string{"ref", "action"}, n)
		}
		_ = json.Unmarshal([]byte(names["to"]), &to)
		_ = json.Unmarshal([]byte(names["room"]), &room)
		for _, body := range f.queue.bodies {
			job, err := domain.DecodeJob(body)
			if err != nil {
				t.Fatal(err)
			}
			_, toUser := names["to"]
			_, toRoom := names["room"]
			switch {
			case !addressed && job.To == domain.ToEveryone():
			case toUser && !toRoom && job.To == domain.ToUser(to):
			case toRoom && !toUser && job.To == domain.ToRoom(room):
			default:
				t.Fatalf("%s is for %s", frame, job.To)
			}
		}
	})
}

func TestRoomFrames(t *testing.T) {
	long := `"` + strings.Repeat("x", domain.MaxRoom+1) + `"`
	for _, test := range []struct {
		route, body string
		status      int
		reply       string
	}{
		{"joinRoom", `{"room":"goals","ref":"<r>"}`, 200, `{"joined":{"room":"goals","position":"k3.4","ref":"<r>"}}`},
		{"leaveRoom", `{"room":"goals"}`, 200, `{"left":{"room":"goals"}}`},
		{"presence", `{"room":"goals"}`, 200,
			`{"presence":{"room":"goals","users":[{"user":"alice","connections":2}],"total":{"users":1,"connections":2}}}`},
		{"presence", `{"room":"goals","limit":100,"after":"bob"}`, 200, `"total":{"users":1,"connections":2}`},
		{"joinRoom", `{"room":7,"ref":"r"}`, 400, `"code":"invalid_room"`},
		{"joinRoom", `{}`, 400, `"code":"invalid_room"`},
		{"leaveRoom", `{"room":` + long + `}`, 400, `"code":"invalid_room"`},
		{"presence", `{"room":null}`, 400, `"code":"invalid_room"`},
		{"presence", `{"room":"goals","limit":0}`, 400, `"code":"invalid_page"`},
		{"presence", `{"room":"goals","limit":101}`, 400, `"code":"invalid_page"`},
		{"presence", `{"room":"goals","limit":1.5}`, 400, `"code":"invalid_page"`},
		{"presence", `{"room":"goals","limit":null}`, 400, `"code":"invalid_page"`},
		{"presence", `{"room":"goals","after":""}`, 400, `"code":"invalid_page"`},
		{"presence", `{"room":"goals","after":7}`, 400, `"code":"invalid_page"`},
		{"authenticate", `{"token":"good"}`, 200, `{"authenticated":{"expiresAt":"2026-11-22T09:00:00Z"}}`},
		{"authenticate", `{"token":7,"ref":"r"}`, 401, `"code":"invalid_token"`},
		{"authenticate", `{}`, 401, `"code":"invalid_token"`},
		{"authenticate", `{"token":"` + strings.Repeat("x", 3501) + `"}`, 401, `"code":"invalid_token"`},
		{"joinRoom", `{"room":`, 400, `"code":"invalid_json"`},
		{"authenticate", `[]`, 400, `"code":"not_an_object"`},
	} {
		f := newFunctions()
		event := signedIn(test.body)
		event.RequestContext.RouteKey = test.route
		response, err := f.useCases.Routes()[test.route].Handler(context.Background(), event)
		if err != nil || response.StatusCode != test.status || !strings.Contains(response.Body, test.reply) {
			t.Errorf("%s %.60s: %d %s, %v", test.route, test.body, response.StatusCode, response.Body, err)
		}
		if log := f.log.String(); strings.Contains(log, "xxxx") || strings.Contains(log, `"ERROR"`) {
			t.Errorf("%s %.60s: logged %.200s", test.route, test.body, log)
		}
	}
}

// refs are JSON strings that decoding and re-encoding would change.
var refs = []string{
	`"tag"`, `""`, `"<&>"`, `"한글 😀"`, `"\ud800"`, `"\uDC00\ud800x"`, `"\ud83d\ude00"`, "\"\u2028\u2029\"", `"\u2028"`, `"\u0000"`,
	`"\u003c"`, `"\/"`, `"/"`, `"\b\f\n\r\t\"\\"`, `"\u0041"`, `"\uABCD\uabcd"`, "\"\x7f\ufeff\ufffd\"",
}

func TestRefsComeBackAsTheyWereSent(t *testing.T) {
	for _, ref := range refs {
		f := newFunctions()
		for body, handle := range map[string]func(context.Context, events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error){
			`{"content":1,"ref":` + ref + `}`:      f.send.Handle,
			`{"ref": ` + ref + "\n}":               f.send.Handle,
			`{"ref":` + ref + `,"action":"dance"}`: f.unknown.Handle,
		} {
			response, err := handle(context.Background(), message(body))
			if err != nil || !strings.HasSuffix(response.Body, `,"ref":`+ref+`}}`) {
				t.Errorf("%s: %s, error %v", body, response.Body, err)
			}
		}
	}
}

func TestDefaultTellsWhatIsWrong(t *testing.T) {
	for body, code := range map[string]domain.Code{
		`{"action":"dance"}`:                    domain.UnknownAction,
		`{}`:                                    domain.UnknownAction,
		`{"ref":[]}`:                            domain.InvalidRef,
		`7`:                                     domain.NotAnObject,
		`{`:                                     domain.InvalidJSON,
		nested(10_001):                          domain.TooDeep,
		`{"action":` + nested(512) + `}`:        domain.TooDeep,
		`{"action":` + nested(511) + `}`:        domain.UnknownAction,
		"\ufeff" + `{"action":"sendMessage"}`:   domain.InvalidJSON,
		`{"Action":"sendMessage","content":1}`:  domain.UnknownAction,
		`{"action":"sendMessage ","content":1}`: domain.UnknownAction,
	} {
		f := newFunctions()
		response, err := f.unknown.Handle(context.Background(), message(body))
		if err != nil || response.StatusCode != 400 || !strings.Contains(response.Body, `"code":"`+string(code)+`"`) {
			t.Errorf("%.40s: %d %s, error %v", body, response.StatusCode, response.Body, err)
		}
	}
}

// Every frame gets a JSON reply with the frame's own ref; an accepted frame creates
// exactly one job, which the worker takes.
func FuzzSendMessage(f *testing.F) {
	for _, seed := range []string{`{"content":1}`, `{"content":"서버","ref":"a"}`, `[]`, `{"ref":{}}`, `nul`, "{\"content\":\"\xff\"}", nested(600)} {
		f.Add(seed)
	}
	for _, ref := range refs {
		f.Add(`{"content":{"a":` + ref + `},"ref":` + ref + `}`)
	}
	f.Fuzz(func(t *testing.T, body string) {
		functions := newFunctions()
		for name, handle := range map[string]func(context.Context, events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error){
			"sendMessage": functions.send.Handle, "$default": functions.unknown.Handle,
		} {
			response, err := handle(context.Background(), message(body))
			if err != nil {
				t.Fatalf("%s: error %v", name, err)
			}
			checkReply(t, body, response.Body)
			if accepted := response.StatusCode == 200; name == "sendMessage" && accepted != (len(functions.queue.bodies) == 1) {
				t.Fatalf("%q: status %d, %d messages queued", body, response.StatusCode, len(functions.queue.bodies))
			}
		}
		for _, job := range functions.queue.bodies {
			event := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: job}}}
			if response, _ := functions.fanOut.Handle(context.Background(), event); len(response.BatchItemFailures) > 0 {
				t.Fatalf("%q is accepted but its job is refused: %s", body, job)
			}
		}
	})
}

// checkReply wants a reply of one member that contains the frame's ref byte for byte, or
// none if the frame could not be read.
func checkReply(t *testing.T, body, reply string) {
	var outer map[string]map[string]json.RawMessage
	if err := json.Unmarshal([]byte(reply), &outer); err != nil || len(outer) != 1 || !utf8.ValidString(reply) {
		t.Fatalf("%q: reply %s, %v", body, reply, err)
	}
	inner := slices.Collect(maps.Values(outer))[0]
	ref, ok := inner["ref"]
	if !ok {
		return
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &sent); err != nil || !bytes.Equal(sent["ref"], ref) {
		t.Fatalf("%q: ref was returned as %q", body, ref)
	}
}
