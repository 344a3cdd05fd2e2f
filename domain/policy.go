package domain

// The permissions of a scope.
const (
	permitBroadcast = "broadcast" // to send to everyone
	permitDirect    = "direct"    // to send to a user
)

// Policy says what principals may do whose token has no scope. The zero Policy lets none
// of them broadcast.
type Policy struct {
	BroadcastBy Broadcasters
}

// Broadcasters are those who may send to everyone.
type Broadcasters int

// The broadcasters of a Policy.
const (
	Nobody Broadcasters = iota
	Users               // those who have signed in
	Anyone
)

// MaySend returns nil if the principal may send to the recipients. The error is an
// *Error: Unauthenticated if signing in could help, otherwise Forbidden.
func (p Policy) MaySend(from Principal, to Recipients) error {
	switch {
	case to.Kind == Everyone && p.mayBroadcast(from), to.Kind == User && maySendDirectly(from):
		return nil
	case !from.SignedIn():
		return NewError(Unauthenticated)
	}
	return NewError(Forbidden)
}

func (p Policy) mayBroadcast(from Principal) bool {
	if _, claimed := from.Scope.Claim(); claimed {
		return from.Scope.has(permitBroadcast)
	}
	return p.BroadcastBy == Anyone || p.BroadcastBy == Users && from.SignedIn()
}

func maySendDirectly(from Principal) bool {
	_, claimed := from.Scope.Claim()
	return from.SignedIn() && (!claimed || from.Scope.has(permitDirect))
}
