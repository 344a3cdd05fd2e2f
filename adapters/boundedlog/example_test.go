package boundedlog_test

import (
	"fmt"
	"os"
	"time"

	"serverless-websocket/adapters/boundedlog"
)

// Writing never blocks. Close waits until everything is written, or until the timeout.
func ExampleWriter() {
	note := func(dropped int) []byte { return fmt.Appendf(nil, "%d lines dropped\n", dropped) }
	log := boundedlog.NewWriter(os.Stdout, 1<<20, note)
	fmt.Fprintln(log, "started")
	fmt.Println("all written:", log.Close(time.Second))
	// Output:
	// started
	// all written: true
}
