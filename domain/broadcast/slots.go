package broadcast

// slots are a worker's places for posts under way, for all its passes together.
type slots struct {
	all  chan struct{}
	only chan struct{}
}

// newSlots returns n places. Passes over connections by name, most of which have
// failed before and may be slow, get a quarter of them at most, so that they do
// not hold up those who are served for the first time.
func newSlots(n int) slots {
	return slots{all: make(chan struct{}, n), only: make(chan struct{}, max(1, n/4))}
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

func (s slots) release() { <-s.all }

func (s slots) releaseOnly() {
	<-s.all
	<-s.only
}
