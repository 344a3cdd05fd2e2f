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
	toBob, toGoals := domain.ToUser("bob"), domain.ToRoom("goals")
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

		// So do the members of a room.
		{domain.Anyone, nobody, toGoals, domain.Unauthenticated},
		{domain.Nobody, alice, toGoals, ""},
		{domain.Nobody, scoped("room:goals"), toGoals, ""},
		{domain.Nobody, scoped("openid room:chess room:go*"), toGoals, ""},
		{domain.Nobody, scoped("room:*"), toGoals, ""},
		{domain.Anyone, scoped("broadcast direct"), toGoals, domain.Forbidden},
		{domain.Anyone, scoped("room:goals:read room:go*:read"), toGoals, domain.Forbidden},
		{domain.Anyone, scoped("room:goal room:Goals room:goals/1 goals room:"), toGoals, domain.Forbidden},
		{domain.Anyone, scoped("room:goals"), toBob, domain.Forbidden},
		{domain.Anyone, scoped("room:*"), domain.ToEveryone(), domain.Forbidden},

		// Nobody is no one's recipient.
		{domain.Anyone, alice, domain.Recipients{}, domain.Forbidden},
	} {
		err := domain.Policy{BroadcastBy: test.by}.MaySend(test.from, test.to)
		var refused *domain.Error
		if errors.As(err, &refused); test.want == "" && err != nil || test.want != "" && (refused == nil || refused.Code != test.want) {
			t.Errorf("%+v to %+v by %d: %v, want %q", test.from, test.to, test.by, err, test.want)
		}
	}
}

func TestWhoMayJoinARoom(t *testing.T) {
	for claim, want := range map[string]domain.Code{
		"room:goals": "", "room:goals:read": "", "room:g*": "", "room:*:read": "", "x room:chess:read room:goals:read": "",
		"": domain.Forbidden, "room:goal:read": domain.Forbidden, "room:goals/*": domain.Forbidden,
		"room:goals:write": domain.Forbidden, "room:goals:read:read": domain.Forbidden, "broadcast direct": domain.Forbidden,
	} {
		err := domain.Policy{}.MayJoin(domain.Principal{User: "alice", Scope: domain.NewScope(claim)}, "goals")
		if got := codeOf(err); got != want {
			t.Errorf("scope %q: %q, want %q", claim, got, want)
		}
	}
	if err := (domain.Policy{}).MayJoin(domain.Principal{User: "alice"}, "goals"); err != nil {
		t.Errorf("alice without a scope: %v", err)
	}
	if code := codeOf(domain.Policy{BroadcastBy: domain.Anyone}.MayJoin(domain.Principal{}, "goals")); code != domain.Unauthenticated {
		t.Errorf("a stranger: %q", code)
	}
}
