package app_test

import (
	"slices"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/functions/app"
)

func TestPolicy(t *testing.T) {
	for name, want := range map[string]domain.Broadcasters{"anyone": domain.Anyone, "users": domain.Users, "nobody": domain.Nobody} {
		if got, err := app.Policy(name); err != nil || got.BroadcastBy != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "Anyone", "everyone"} {
		if got, err := app.Policy(name); err == nil || got != (domain.Policy{}) {
			t.Errorf("%q is accepted as %+v", name, got)
		}
	}
}

func TestOrigins(t *testing.T) {
	for text, want := range map[string][]string{
		"":                    nil,
		" , ":                 nil,
		"https://example.com": {"https://example.com"},
		"https://*.example.com, http://localhost:8080,": {"https://*.example.com", "http://localhost:8080"},
	} {
		if got := app.Origins(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}
