// Package gateway_test connects the poster for API Gateway to this service's own gateway:
// both must agree on the @connections API.
package gateway_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain ignores the goroutine that closes idle connections of posters.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}
