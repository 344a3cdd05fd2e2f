// Package porttest holds one conformance suite for each port. Every adapter
// passes the suite of its port, the embedded ones and those of AWS alike, so
// that a use case can be tested on any of them.
//
// A suite takes a harness that makes a fresh instance for each case and declares
// what the technology can do. It assumes nothing else: not that the instance is
// in this process, nor that it is fast.
package porttest

import "time"

// caseTimeout bounds one case, so that a lost message or an endless scan is a
// failure with a reason and not a test that hangs. It begins when the instance is
// there, since servers may have to start for it, and is far beyond what a case
// needs on a busy machine.
const caseTimeout = 2 * time.Minute
