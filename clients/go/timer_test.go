package client

import (
	"testing"
	"testing/synctest"
	"time"
)

// A timer that has fired, but waits for Run, can still be stopped.
func TestATimerThatIsStoppedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, called := New(Options{}), false
		timer := c.after(time.Second, func() { called = true })
		time.Sleep(time.Second)
		synctest.Wait()
		timer.stop()
		(<-c.mailbox)()
		if called {
			t.Error("it called its function")
		}
	})
}
