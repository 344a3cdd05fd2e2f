package simulation

import (
	"fmt"
	"hash/fnv"
	"time"
)

// seed is the source of all randomness. A draw depends on the seed and its subject, never
// on earlier draws: goroutines that run at the same virtual instant can draw in any order
// and a run still repeats.
type seed uint64

// of returns the seed of everything about a subject.
func (s seed) of(about ...any) seed {
	hash := fnv.New64a()
	fmt.Fprint(hash, uint64(s))
	for _, a := range about {
		fmt.Fprint(hash, "|", a)
	}
	return seed(mixed(hash.Sum64()))
}

// mixed spreads a change of any bit over all bits: FNV leaves the upper bits of short
// texts alike. It is the finalizer of SplitMix64, https://prng.di.unimi.it/splitmix64.c.
func mixed(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// share returns a number from 0 up to 1.
func (s seed) share(of string) float64 {
	return float64(s.of(of)>>11) / (1 << 53)
}

func (s seed) happens(what string, probability float64) bool {
	return s.share(what) < probability
}

// between returns a duration from low up to high, to the nanosecond, so that two timers
// almost never fire at the same instant.
func (s seed) between(what string, low, high time.Duration) time.Duration {
	return low + time.Duration(s.share(what)*float64(high-low))
}

func (s seed) number(what string, low, high int) int {
	return low + int(uint64(s.of(what))%uint64(high-low+1))
}

func pick[T any](s seed, what string, from ...T) T {
	return from[s.number(what, 0, len(from)-1)]
}
