package lambdalocal

import (
	"net/http"
	"sync/atomic"

	"serverless-websocket/integration/environments/awslocal"
)

// Switch is a fault for awslocal.Proxy that can be changed during use. The zero value
// lets everything pass.
type Switch struct {
	fault atomic.Pointer[awslocal.Fault]
}

// Set sets the fate of requests from now on; nil lets them pass.
func (s *Switch) Set(fault awslocal.Fault) {
	if fault == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&fault)
}

// Serve is an awslocal.Fault.
func (s *Switch) Serve(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
	if fault := s.fault.Load(); fault != nil {
		(*fault)(w, r, operation, next)
		return
	}
	next.ServeHTTP(w, r)
}

// Down is a fault that breaks connections without an answer, like an unreachable service.
func Down(http.ResponseWriter, *http.Request, string, http.Handler) {
	panic(http.ErrAbortHandler)
}

// Throttle returns a fault that passes every n-th request on and answers the
// others with the error type; with 0, all of them.
func Throttle(n int64, errorType string) awslocal.Fault {
	var count atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		if i := count.Add(1); n > 0 && i%n == 0 {
			next.ServeHTTP(w, r)
			return
		}
		awslocal.WriteError(w, http.StatusBadRequest, errorType)
	}
}
