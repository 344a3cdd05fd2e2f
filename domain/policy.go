package domain

// The permissions of a scope.
const (
	permitBroadcast = "broadcast" // to send to everyone
	permitDirect    = "direct"    // to send to a user
	permitRoom      = "room:"     // and the name of a room or a prefix of names: to join and to send
	readOnlySuffix  = ":read"     // after the name: to join alone
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

// MaySend returns nil if the principal may send to the recipients; a room also wants its
// senders to be members, which is not for the Policy to know. The error is an
// *Error: Unauthenticated if signing in could help, otherwise Forbidden.
func (p Policy) MaySend(from Principal, to Recipients) error {
	permitted := false
	switch to.Kind {
	case Everyone:
		permitted = p.mayBroadcast(from)
	case User:
		permitted = maySendDirectly(from)
	case Room:
		permitted = mayUseRoom(from, to.Name, true)
	}
	return unless(permitted, from)
}

// MayJoin returns nil if the principal may join the room, and get its messages and the
// names of its members. The errors are those of MaySend.
func (p Policy) MayJoin(from Principal, room string) error {
	return unless(mayUseRoom(from, room, false), from)
}

func unless(permitted bool, from Principal) error {
	switch {
	case permitted:
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

func mayUseRoom(from Principal, name string, send bool) bool {
	_, claimed := from.Scope.Claim()
	return from.SignedIn() && (!claimed || from.Scope.permitsRoom(name, send))
}
