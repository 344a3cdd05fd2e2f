package domain_test

import (
	"strings"
	"testing"

	"serverless-websocket/domain"
)

func TestRecipientsAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]domain.Recipients{
		"everyone":      domain.ToEveryone(),
		"user:bob":      {Kind: domain.User, Name: "bob"},
		"room:goals":    {Kind: domain.Room, Name: "goals"},
		"room:everyone": {Kind: domain.Room, Name: "everyone"},
		"room:a-b._~/9": domain.ToRoom("a-b._~/9"),
		"user:room:bob": domain.ToUser("room:bob"),
		"room:" + strings.Repeat("x", domain.MaxRoom):      domain.ToRoom(strings.Repeat("x", domain.MaxRoom)),
		"user:" + strings.Repeat("x", domain.MaxRecipient): {Kind: domain.User, Name: strings.Repeat("x", domain.MaxRecipient)},
	} {
		got, err := domain.ParseRecipients(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %+v, written %q, error %v", text, got, got, err)
		}
	}
}

func TestWhatNamesNoRecipients(t *testing.T) {
	for _, text := range []string{"", "Everyone", "everyone ", "bob", "user:", "room:", "team:x", "user:\xff",
		"room:a b", "room:a*", "room:a:read", "room:골", "room:a\n",
		"room:" + strings.Repeat("x", domain.MaxRoom+1), "user:" + strings.Repeat("x", domain.MaxRecipient+1), "user:a\uFFFD"} {
		if got, err := domain.ParseRecipients(text); err == nil || got != (domain.Recipients{}) || got.Valid() {
			t.Errorf("%q: %+v, error %v", text, got, err)
		}
	}
}
