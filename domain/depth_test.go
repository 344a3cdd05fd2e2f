package domain_test

import (
	"strings"
	"testing"

	"serverless-websocket/domain"
)

func TestDeeper(t *testing.T) {
	for _, test := range []struct {
		text   string
		levels int
		want   bool
	}{
		{``, 0, false},
		{`1`, 0, false},
		{`[]`, 0, true},
		{`[{}]`, 2, false},
		{`[{}]`, 1, true},
		{`[[],[],{"a":[]}]`, 3, false},
		{`["[[[[{{{{"]`, 1, false},
		{`["\"[[[["]`, 1, false},
		{`["\\",[]]`, 2, false},
		{`["\\",[]]`, 1, true},
		{`{"[[":{"\\\"{{":1}}`, 2, false},
		{`"\`, 0, false},
		{strings.Repeat("[", 128<<10), 512, true},
		{strings.Repeat("]", 128<<10) + "[", 0, false},
	} {
		if got := domain.Deeper(test.text, test.levels); got != test.want {
			t.Errorf("%.40s deeper than %d: %v", test.text, test.levels, got)
		}
	}
}
