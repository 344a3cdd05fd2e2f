package fanout

import (
	"cmp"
	"sync"
	"time"

	"serverless-websocket/domain"
)

const (
	// minSample is the fewest posts of a pass by which to judge the worker's speed.
	minSample = 1_000
	// remembered is how long the worker counts on a size that it saw.
	remembered = time.Minute
	// maxSizes is how many sizes a worker remembers.
	maxSizes = 10_000
)

// speed is how many posts a second a worker makes in a lane, by its earlier passes. It
// may be used concurrently.
type speed struct {
	most float64 // that it can make, its share of the quota; 0 if not known

	mu        sync.Mutex
	perSecond float64
}

// learn notes how long the posts of a pass took, unless they were too few to judge by.
func (s *speed) learn(posts int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if posts >= minSample && took > 0 {
		s.perSecond = float64(posts) / took.Seconds()
	}
}

// takes returns how long the posts take one worker, 0 if that is not known. A short
// pass can live on a burst, and seem faster than a long one can be.
func (s *speed) takes(posts int) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	perSecond := cmp.Or(s.perSecond, s.most)
	if s.most > 0 {
		perSecond = min(perSecond, s.most)
	}
	if perSecond == 0 {
		return 0
	}
	return time.Duration(float64(posts) / perSecond * float64(time.Second))
}

// sizes is how many connections there are for which recipients, by earlier passes. It may
// be used concurrently.
type sizes struct {
	now func() time.Time // time.Now if nil

	mu  sync.Mutex
	all map[domain.Recipients]size
}

type size struct {
	connections int
	seen        time.Time // by the wall clock
}

// learn notes how many connections there are: exactly, or at least.
func (s *sizes) learn(of domain.Recipients, connections int, exactly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.all[of]
	if exactly || connections > known.connections || connections > 0 && !s.fresh(known) {
		if s.all == nil || len(s.all) >= maxSizes {
			s.all = make(map[domain.Recipients]size) // to learn a size again costs a page
		}
		s.all[of] = size{connections, s.wallClock()}
	}
}

// of returns how many connections there are, if that is known.
func (s *sizes) of(to domain.Recipients) (connections int, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.all[to]
	return of.connections, s.fresh(of)
}

// fresh reports whether the size was seen lately. The caller holds s.mu.
func (s *sizes) fresh(of size) bool {
	age := s.wallClock().Sub(of.seen)
	return 0 <= age && age < remembered
}

// wallClock returns the time without the reading of the monotonic clock, which
// stands still while a Lambda is frozen.
func (s *sizes) wallClock() time.Time {
	if s.now != nil {
		return s.now().Round(0)
	}
	return time.Now().Round(0)
}
