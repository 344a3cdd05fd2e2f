package broadcast

// slots are a worker's places for posts under way, for all its passes together.
type slots struct {
	all, only chan struct{}
	// The functions that give a place back, made once: one made for each post
	// would be an allocation each.
	release, releaseOnly func()
}

// newSlots returns n places. Passes over connections by name, most of which have
// failed before and may be slow, get a quarter of them at most, so that they do
// not hold up those who are served for the first time.
func newSlots(n int) slots {
	all, only := make(chan struct{}, n), make(chan struct{}, max(1, n/4))
	return slots{
		all:     all,
		only:    only,
		release: func() { <-all },
		releaseOnly: func() {
			<-all
			<-only
		},
	}
}

// acquire waits for a place. The function it returns gives it back.
func (s slots) acquire(only bool) (release func()) {
	if !only {
		s.all <- struct{}{}
		return s.release
	}
	s.only <- struct{}{}
	s.all <- struct{}{}
	return s.releaseOnly
}
