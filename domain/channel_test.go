package domain_test

import (
	"errors"
	"testing"

	"serverless-websocket/domain"
)

func TestParseChannel(t *testing.T) {
	for name, want := range map[string]domain.Recipients{
		"everyone": domain.ToEveryone(), "user": domain.ToUser("alice"), "room:goals": domain.ToRoom("goals"), "room:user": domain.ToRoom("user"),
	} {
		if got, err := domain.ParseChannel(name, "alice"); err != nil || got != want || domain.ChannelName(got) != name {
			t.Errorf("%s is %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "user:alice", "Everyone", "room:", "room:a b", "room", "user "} {
		got, err := domain.ParseChannel(name, "alice")
		if refused := new(domain.Error); !errors.As(err, &refused) || refused.Code != domain.InvalidPosition || got.Valid() {
			t.Errorf("%q is %+v, %v", name, got, err)
		}
	}
	if got, err := domain.ParseChannel("user", ""); err != nil || got.Valid() || domain.ChannelName(got) != "user" {
		t.Errorf("without a user: %+v, %v", got, err)
	}
}
