package domain

// Principal is who makes a request. The zero value is nobody: someone who has not
// signed in. Until connections have an identity, everyone is nobody.
type Principal struct {
	User string
}
