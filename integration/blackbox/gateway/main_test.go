// Package gateway_test puts the poster of API Gateway before the gateway of this
// service: one speaks the @connections API as the other understands it.
package gateway_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain leaves out what closes the idle connections of posters in time.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}
