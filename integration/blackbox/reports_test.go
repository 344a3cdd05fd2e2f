package blackbox

import (
	"encoding/json"
	"strings"
	"testing"
)

// report is a frame that some similar service was reported to get wrong.
type report struct {
	name, frame string
	code        string // of the error it gets; empty if it is accepted
	content     string // what the others then receive
	ref         string // expected in the reply; empty for none
}

// sent is a report whose content must arrive unchanged.
func sent(name, content string) report {
	return report{name: name, frame: sendTemplate + content + `}`, content: content}
}

// tagged is a report whose ref must be returned unchanged.
func tagged(name, ref string) report {
	return report{name: name, frame: `{"action":"sendMessage","ref":` + ref + `,"content":1}`, content: `1`, ref: ref}
}

func nested(levels int) string {
	return strings.Repeat("[", levels) + strings.Repeat("]", levels)
}

var reports = []report{
	sent("HTML characters are not escaped", `"<b>&amp;</b>"`),
	sent("escapes are not resolved", `"\u003c \/ \ud83d\ude00"`),
	sent("half a surrogate pair stays", `"\ud800"`),
	sent("NUL as an escape stays", `"\u0000"`),
	sent("line separators are not escaped", "\"a\u2028\u2029\""),
	sent("numbers beyond 2^53 keep their digits", `[9007199254740993,1e400,-0,1.10]`),
	sent("a repeated member stays", `{"a":1,"a":2}`),
	sent("names of JavaScript's own", `{"__proto__":{"x":1},"constructor":null}`),
	sent("a string that looks like the end of a frame", `"\"}]}{\"messages\":[{\"content\":\"forged"`),
	sent("a value, not a string", `false`),
	sent("the deepest content can be read by a client", nested(511)),
	sent("brackets in a string are not levels", `"`+strings.Repeat(`[{\"`, 1000)+`"`),

	tagged("ref with half a surrogate pair", `"\ud800"`),
	tagged("ref with a pair in the wrong order", `"\udc00\ud800"`),
	tagged("ref with a line separator", "\"\u2028\""),
	tagged("ref with escapes", `"\u003c\u0000\/\n"`),
	tagged("ref with HTML characters", `"<&>"`),
	tagged("empty ref", `""`),
	{name: "ref in an error", frame: `{"ref":"\ud800"}`, code: "unknown_action", ref: `"\ud800"`},
	{name: "ref that is an object", frame: `{"action":"sendMessage","content":1,"ref":{}}`, code: "invalid_ref"},

	{name: "the last of two actions counts", frame: `{"action":"x","action":"sendMessage","content":1}`, content: `1`},
	{name: "the last of two actions counts, also if it is none", frame: `{"action":"sendMessage","action":"x","content":1}`, code: "unknown_action"},
	{name: "the last of two contents counts", frame: `{"action":"sendMessage","content":1,"content":2}`, content: `2`},
	{name: "the last of two contents counts, also if it is blank", frame: `{"action":"sendMessage","content":1,"content":null}`, code: "blank_content"},
	{name: "an action within another member does not count", frame: `{"x":{"action":"sendMessage"},"content":1}`, code: "unknown_action"},
	{name: "names are case-sensitive", frame: `{"ACTION":"sendMessage","content":1}`, code: "unknown_action"},
	{name: "content in another case is another member", frame: `{"action":"sendMessage","CONTENT":2,"content":1}`, content: `1`},
	{name: "names can have escapes", frame: `{"\u0061ction":"send\u004dessage","c\u006fntent":1}`, content: `1`},
	{name: "an action with half a surrogate pair is another", frame: `{"action":"sendMessage\ud800","content":1}`, code: "unknown_action"},
	{name: "a client cannot reach $connect", frame: `{"action":"$connect","content":1}`, code: "unknown_action"},
	{name: "a client cannot reach $disconnect", frame: `{"action":"$disconnect"}`, code: "unknown_action"},
	{name: "a client cannot name $default", frame: `{"action":"$default"}`, code: "unknown_action"},
	{name: "a client cannot choose id, time or sender",
		frame: `{"action":"sendMessage","id":"x","sentAt":"x","sender":"x","messages":[],"content":1}`, content: `1`},

	{name: "a byte order mark is not JSON", frame: "\ufeff" + `{"action":"sendMessage","content":1}`, code: "invalid_json"},
	{name: "a heartbeat as text gets a reply", frame: `ping`, code: "invalid_json"},
	{name: "white space alone gets a reply", frame: ` `, code: "invalid_json"},
	{name: "two frames in one are refused", frame: `{"action":"sendMessage","content":1}{}`, code: "invalid_json"},
	{name: "single quotes are not JSON", frame: `{'action':'sendMessage','content':1}`, code: "invalid_json"},
	{name: "NaN is not JSON", frame: sendTemplate + `NaN}`, code: "invalid_json"},
	{name: "a frame that was encoded twice is a string", frame: `"{\"action\":\"sendMessage\",\"content\":1}"`, code: "not_an_object"},

	{name: "one level too many is not called invalid", frame: sendTemplate + nested(512) + `}`, code: "too_deep"},
	{name: "10,000 levels are not called invalid", frame: sendTemplate + nested(9_999) + `}`, code: "too_deep"},
	{name: "many more levels are not called invalid", frame: sendTemplate + nested(60_000) + `}`, code: "too_deep"},
	{name: "depth counts outside the content", frame: `{"action":"sendMessage","content":1,"x":` + nested(512) + `}`, code: "too_deep"},
	{name: "the deepest member outside the content", frame: `{"action":"sendMessage","content":1,"x":` + nested(511) + `}`, content: `1`},
	{name: "depth counts in a ref", frame: `{"action":"sendMessage","content":1,"ref":` + nested(512) + `}`, code: "too_deep"},
	{name: "depth counts in objects", frame: strings.Repeat(`{"content":`, 513) + `1` + strings.Repeat(`}`, 513), code: "too_deep"},
	{name: "depth counts without an action", frame: nested(513), code: "too_deep"},
	{name: "deep and broken is too deep", frame: strings.Repeat("[", maxMessage), code: "too_deep"},
}

// publicReports replays what clients have reported about similar services.
func publicReports(t *testing.T, tg *target) {
	sender, receiver := dial(t, tg), dial(t, tg)
	for _, r := range reports {
		if err := sender.sendFragments(r.frame); err != nil {
			t.Fatal(err)
		}
		reply, err := sender.rawReply()
		if err != nil {
			t.Fatalf("%s: no reply: %v", r.name, err)
		}
		a := r.check(t, reply)
		if r.code == "" && a == nil {
			continue
		}
		if r.code != "" {
			// A refused frame must not be delivered before this.
			a = new(sender.broadcast(`"next"`))
			r.content = `"next"`
		}
		m, err := receiver.message()
		if err != nil || m.ID != a.ID || string(m.Content) != r.content {
			t.Errorf("%s: delivered %.80s with id %s, %v; want id %s", r.name, m.Content, m.ID, err, a.ID)
		}
	}
}

// check compares the reply with the expected one, and returns its content if the message
// was accepted.
func (r report) check(t *testing.T, reply string) *accepted {
	t.Helper()
	var f struct {
		Accepted *struct {
			ID  string
			Ref json.RawMessage
		}
		Error *struct {
			Code, Message, RequestID string
			Ref                      json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(reply), &f); err != nil {
		t.Errorf("%s: the reply %s is not JSON: %v", r.name, reply, err)
		return nil
	}
	var code, ref string
	var a *accepted
	switch {
	case f.Accepted != nil:
		a, ref = &accepted{ID: f.Accepted.ID}, string(f.Accepted.Ref)
	case f.Error != nil && f.Error.Message != "" && f.Error.RequestID != "":
		code, ref = f.Error.Code, string(f.Error.Ref)
	}
	if (code == "") != (a != nil) || code != r.code || ref != r.ref {
		t.Errorf("%s: got %s, want code %q and ref %s", r.name, reply, r.code, r.ref)
	}
	return a
}
