// Package blackbox tests the built service from outside, through its sockets, its output
// and its exit code. It knows nothing about the implementation.
package blackbox

import (
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"serverless-websocket/integration/environments/awslocal"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(awslocal.M{M: m}, goleak.Cleanup(func(code int) {
		os.RemoveAll(buildDir())
		os.Exit(code)
	}))
}

// buildDir holds the built programs until the tests are over.
var buildDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "blackbox-")
	if err != nil {
		panic(err)
	}
	return dir
})
