package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"serverless-websocket/domain"
)

func TestParseContent(t *testing.T) {
	for _, test := range []struct {
		raw  string
		want domain.Code // empty: accepted
	}{
		{`"서버리스 웹소켓 API 테스트"`, ""},
		{` { "b" : 1 , "a" : [ ] } `, ""},
		{`0`, ""},
		{`false`, ""},
		{`{}`, ""},
		{`[]`, ""},
		{`"null"`, ""},
		{`[null]`, ""},
		{`""`, domain.BlankContent},
		{`"  "`, domain.BlankContent},
		{`"\t\n\u0020\u3000"`, domain.BlankContent},
		{`null`, domain.BlankContent},
		{` null `, domain.BlankContent},
		{``, domain.InvalidJSON},
		{`{`, domain.InvalidJSON},
		{`1 2`, domain.InvalidJSON},
		{"\"\xff\"", domain.InvalidJSON},
		{nested(domain.MaxDepth - 1), ""},
		{nested(domain.MaxDepth), domain.TooDeep},
		{strings.Repeat("[", domain.MaxDepth), domain.TooDeep},
	} {
		got, err := domain.ParseContent([]byte(test.raw))
		if code := codeOf(err); code != test.want {
			t.Errorf("%q: code %q, want %q", test.raw, code, test.want)
		}
		if err == nil && string(got) != test.raw {
			t.Errorf("%q became %q", test.raw, got)
		}
	}
	_, err := domain.ParseContent(nil)
	if code := codeOf(err); code != domain.MissingContent {
		t.Errorf("nil: code %q", code)
	}
}

func nested(levels int) string {
	return strings.Repeat("[", levels) + strings.Repeat("]", levels)
}

func codeOf(err error) domain.Code {
	var e *domain.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func FuzzParseContent(f *testing.F) {
	for _, seed := range []string{`"a"`, `null`, `{"a":[1,2.5e3]}`, ` `, `"\ud800"`, "\"\u2028\"", `"   "`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		content, err := domain.ParseContent(bytes.Clone(raw))
		if err != nil {
			if codeOf(err) == "" {
				t.Errorf("error without a code: %v", err)
			}
			return
		}
		if !bytes.Equal(content, raw) || !json.Valid(content) {
			t.Errorf("%q became %q", raw, content)
		}
	})
}
