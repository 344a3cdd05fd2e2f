//go:build !linux || 386

package wire

// Poller only works on Linux: elsewhere, a goroutine reads for each connection.
type Poller struct{}

// Adopt has no effect.
func (*Poller) Adopt(*Conn) {}
