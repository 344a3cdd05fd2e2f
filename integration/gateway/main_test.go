// Package gateway_test puts the poster of API Gateway before the gateway of this
// service: one speaks the @connections API as the other understands it.
package gateway_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
