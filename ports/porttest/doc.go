// Package porttest has a conformance suite for each port. Every adapter, embedded or AWS,
// passes the suite of its port, so that a use case can be tested on any of them.
//
// A suite takes a harness that makes a fresh instance for each case and declares what the
// technology can do. It assumes nothing else: neither that the instance is in this
// process nor that it is fast.
package porttest

import "time"

// caseTimeout limits one case, so that a lost message or an endless scan is a failure
// with a reason and not a hang. It starts when the instance is ready, since servers may
// have to start for it, and is far longer than a case needs on a busy machine.
const caseTimeout = 2 * time.Minute
