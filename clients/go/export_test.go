package client

import "context"

// Socket is a connection of a test.
type Socket interface {
	Read(context.Context) ([]byte, error)
	Write(context.Context, []byte) error
	Close()
}

// HandshakeError is how a test refuses a handshake.
func HandshakeError(status int, err error) error { return &refusedHandshake{status, err} }

// Scripted replaces what the client has of the world.
func (c *Client) Scripted(dial func(ctx context.Context, token string) (Socket, error), random float64) {
	c.dial = func(ctx context.Context, token string) (socket, error) {
		s, err := dial(ctx, token)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	c.random = func() float64 { return random }
}
