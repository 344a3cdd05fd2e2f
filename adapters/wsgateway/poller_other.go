//go:build !linux

package wsgateway

// poller does nothing: only on Linux can connections be parked. Elsewhere a goroutine
// waits for each.
type poller struct{}

func (p *poller) watch(*conn) bool { return false }
func (p *poller) forget(*conn)     {}
func (p *poller) close()           {}
