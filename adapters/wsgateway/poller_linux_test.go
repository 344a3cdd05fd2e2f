//go:build !386

package wsgateway

import "testing"

// What is left of a connection that ends is not kept.
func TestEndedConnectionsAreForgotten(t *testing.T) {
	a := accept(t, Config{})
	for range 3 {
		c := a.dial()
		write(t, c, validHead)
		expectStatus(t, c, "101")
		c.Close()
	}
	a.stop()
	if len(a.poller.watched) == 0 {
		t.Error("no connection was watched")
	}
	for fd, c := range a.poller.watched {
		if c != nil {
			t.Errorf("descriptor %d has a connection", fd)
		}
	}
}
