//go:build !linux

package wsgateway

// poller is for Linux. Elsewhere a goroutine waits for each connection.
type poller struct{}

func (p *poller) watch(*conn) bool { return false }
func (p *poller) forget(*conn)     {}
func (p *poller) close()           {}
