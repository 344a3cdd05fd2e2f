package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

func TestPresenceIsPagedByUser(t *testing.T) {
	w := newWorld(t)
	const users = 7
	for i := range users {
		who := domain.Principal{User: fmt.Sprint("user-", i)}
		for tab := range i%3 + 1 {
			id := domain.ConnectionID(fmt.Sprint(i, "-", tab))
			w.connect(id, who)
			w.join(id, who, "goals")
		}
	}
	me := domain.Principal{User: "user-0"}
	for limit := 1; limit <= users+1; limit++ {
		var all []session.Present
		for after := ""; ; {
			p, err := w.Presence(t.Context(), "0-0", me, "goals", limit, after)
			if err != nil || len(p.Users) == 0 || len(p.Users) > limit || p.TotalUsers != users || p.TotalConnections != 13 {
				t.Fatalf("%d after %q: %+v, %v", limit, after, p, err)
			}
			all = append(all, p.Users...)
			if !p.More {
				break
			}
			after = p.Users[len(p.Users)-1].User
		}
		slices.SortFunc(all, func(a, b session.Present) int { return strings.Compare(a.User, b.User) })
		for i, one := range all {
			if len(all) != users || one.User != fmt.Sprint("user-", i) || one.Connections != i%3+1 {
				t.Fatalf("%d at a time: %+v", limit, all)
			}
		}
	}
	// A user who left still tells where a page begins.
	if _, err := w.Presence(t.Context(), "0-0", me, "goals", 1, "someone who left"); err != nil {
		t.Error(err)
	}
}

func TestPresenceIsForMembers(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	_, err := w.Presence(t.Context(), "a", alice, "goals", 1, "")
	wantCode(t, err, domain.NotAMember)
	w.join("a", alice, "goals")
	for limit, want := range map[int]domain.Code{0: domain.InvalidPage, -1: domain.InvalidPage, session.MaxPresent + 1: domain.InvalidPage} {
		_, err := w.Presence(t.Context(), "a", alice, "goals", limit, "")
		wantCode(t, err, want)
	}
	_, err = w.Presence(t.Context(), "a", alice, "goals", 1, "\xff")
	wantCode(t, err, domain.InvalidPage)
}
