package fanout

// slots are a worker's places for posts under way, for all its passes together.
type slots struct {
	all, retries chan struct{}
	// The functions that give a place back, made once: one made for each post
	// would be an allocation each.
	release, releaseRetry func()
}

// newSlots returns n places. Passes over connections that have failed before and
// may be slow get a quarter of them at most, or the only one in turn with others,
// so that they do not hold up those who are served for the first time.
func newSlots(n int) slots {
	all, retries := make(chan struct{}, n), make(chan struct{}, max(1, n/4))
	return slots{
		all:     all,
		retries: retries,
		release: func() { <-all },
		releaseRetry: func() {
			<-all
			<-retries
		},
	}
}

// acquire waits for a place. The function it returns gives it back.
func (s slots) acquire(retry bool) (release func()) {
	if !retry {
		s.all <- struct{}{}
		return s.release
	}
	s.retries <- struct{}{}
	s.all <- struct{}{}
	return s.releaseRetry
}
