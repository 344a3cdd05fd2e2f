package domain_test

import (
	"errors"
	"testing"

	"serverless-websocket/domain"
)

func TestWhoMaySendToWhom(t *testing.T) {
	nobody, alice := domain.Principal{}, domain.Principal{User: "alice"}
	scoped := func(claim string) domain.Principal {
		return domain.Principal{User: "alice", Scope: domain.NewScope(claim)}
	}
	toBob := domain.Recipients{Kind: domain.User, Name: "bob"}
	for _, test := range []struct {
		by   domain.Broadcasters
		from domain.Principal
		to   domain.Recipients
		want domain.Code // empty if permitted
	}{
		{domain.Anyone, nobody, domain.ToEveryone(), ""},
		{domain.Anyone, alice, domain.ToEveryone(), ""},
		{domain.Users, nobody, domain.ToEveryone(), domain.Unauthenticated},
		{domain.Users, alice, domain.ToEveryone(), ""},
		{domain.Nobody, nobody, domain.ToEveryone(), domain.Unauthenticated},
		{domain.Nobody, alice, domain.ToEveryone(), domain.Forbidden},
		{domain.Broadcasters(9), alice, domain.ToEveryone(), domain.Forbidden},

		// A scope decides alone.
		{domain.Nobody, scoped("broadcast"), domain.ToEveryone(), ""},
		{domain.Nobody, scoped("openid broadcast  email"), domain.ToEveryone(), ""},
		{domain.Anyone, scoped(""), domain.ToEveryone(), domain.Forbidden},
		{domain.Anyone, scoped("openid"), domain.ToEveryone(), domain.Forbidden},
		{domain.Anyone, scoped("broadcasts Broadcast broadcast:all"), domain.ToEveryone(), domain.Forbidden},

		// Users write to each other unless their scope says otherwise.
		{domain.Anyone, nobody, toBob, domain.Unauthenticated},
		{domain.Nobody, alice, toBob, ""},
		{domain.Nobody, scoped("direct"), toBob, ""},
		{domain.Anyone, scoped("broadcast"), toBob, domain.Forbidden},
		{domain.Anyone, scoped("direct"), domain.ToEveryone(), domain.Forbidden},

		// Rooms cannot be addressed yet, and nobody is no one's recipient.
		{domain.Anyone, scoped("broadcast direct"), domain.Recipients{Kind: domain.Room, Name: "goals"}, domain.Forbidden},
		{domain.Anyone, alice, domain.Recipients{}, domain.Forbidden},
	} {
		err := domain.Policy{BroadcastBy: test.by}.MaySend(test.from, test.to)
		var refused *domain.Error
		if errors.As(err, &refused); test.want == "" && err != nil || test.want != "" && (refused == nil || refused.Code != test.want) {
			t.Errorf("%+v to %+v by %d: %v, want %q", test.from, test.to, test.by, err, test.want)
		}
	}
}
