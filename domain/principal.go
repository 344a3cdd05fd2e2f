package domain

// Principal is who makes a request. The zero value is someone who has not signed in,
// which everyone is until connections have an identity.
type Principal struct {
	User string
}
