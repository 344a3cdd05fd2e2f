package domain

import (
	"strings"
	"time"
)

// Principal is who makes a request. The zero value is someone who has not signed in.
type Principal struct {
	// User is the verified name of the user, the token's subject; empty if not signed in.
	User string
	// Scope is what the token permits.
	Scope Scope
	// ExpiresAt is when the token expires; zero without a token.
	ExpiresAt time.Time
}

// SignedIn reports whether the principal is a user.
func (p Principal) SignedIn() bool { return p.User != "" }

// Expired reports whether the principal's token has expired at now.
func (p Principal) Expired(now time.Time) bool {
	return !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)
}

// Scope is the claim "scope" of a token: permissions with spaces between them
// (RFC 8693, 4.2). The zero value is that of a token without the claim, or of no token:
// then the stage's Policy decides. Scopes can be compared with ==.
type Scope struct {
	claimed bool
	text    string
}

// NewScope returns the scope of a token with that claim, which can be empty.
func NewScope(claim string) Scope { return Scope{claimed: true, text: claim} }

// Claim returns the claim, and whether the token has it.
func (s Scope) Claim() (claim string, ok bool) { return s.text, s.claimed }

func (s Scope) has(permission string) bool {
	for p := range strings.FieldsSeq(s.text) {
		if p == permission {
			return true
		}
	}
	return false
}

// permitsRoom reports whether the scope permits to join the room, or also to send to it:
// "room:NAME" permits both, "room:NAME:read" to join alone. NAME can end with * for all
// rooms that begin like that.
func (s Scope) permitsRoom(name string, send bool) bool {
	for p := range strings.FieldsSeq(s.text) {
		pattern, ok := strings.CutPrefix(p, permitRoom)
		pattern, readOnly := strings.CutSuffix(pattern, readOnlySuffix)
		if !ok || readOnly && send {
			continue
		}
		if prefix, many := strings.CutSuffix(pattern, "*"); pattern == name || many && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
