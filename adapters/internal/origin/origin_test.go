package origin_test

import (
	"testing"

	"serverless-websocket/adapters/internal/origin"
)

func TestHas(t *testing.T) {
	for _, test := range []struct {
		list   origin.List
		origin string
		want   bool
	}{
		{nil, "https://example.com", false},
		{origin.List{"*"}, "null", true},
		{origin.List{"https://example.com"}, "HTTPS://EXAMPLE.com", true},
		{origin.List{"https://Example.com"}, "https://example.com", true},
		{origin.List{"https://example.com"}, "https://example.com.evil.example", false},
		{origin.List{"https://example.com"}, "", false},
		{origin.List{"https://*.example.com"}, "https://a.b.example.com", true},
		{origin.List{"https://*.example.com"}, "https://evilexample.com", false},
		{origin.List{"https://*.example.com"}, "https://user@a.example.com", false},
		{origin.List{"http://a.example", "http://b.example"}, "http://b.example", true},
	} {
		if got := test.list.Has(test.origin); got != test.want {
			t.Errorf("%q has %q: %t", test.list, test.origin, got)
		}
	}
}

func TestValidate(t *testing.T) {
	for entry, valid := range map[string]bool{
		"*": true, "https://example.com": true, "https://*.example.com": true, "http://localhost:8080": true,
		"example.com": false, "https://example.com/": false, "https://": false, "https://*": false, "https://a*.example": false, "": false,
	} {
		if err := (origin.List{"https://a.example", entry}).Validate(); (err == nil) != valid {
			t.Errorf("%q: %v", entry, err)
		}
	}
}
