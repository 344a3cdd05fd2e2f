package tally

import "math/bits"

// set is a set of natural numbers that mostly arrive in order, without gaps, and not much
// below the first: it uses a bit for each number from the first gap on, and nothing for
// those before. The zero value is empty.
type set struct {
	base  int      // index of the first word; what is below is in early
	full  int      // words from base on that are complete, and not kept
	words []uint64 // those that follow
	early []int
}

const wordBits = 64

// newSet returns a set for numbers from first on.
func newSet(first int) set { return set{base: first / wordBits} }

// add reports whether n is new to the set.
func (s *set) add(n int) bool {
	if s.has(n) {
		return false
	}
	if n/wordBits < s.base {
		s.early = append(s.early, n)
	} else {
		s.or(n/wordBits, 1<<(n%wordBits))
	}
	return true
}

func (s *set) has(n int) bool {
	if n/wordBits < s.base {
		for _, one := range s.early {
			if one == n {
				return true
			}
		}
		return false
	}
	return s.word(n/wordBits)&(1<<(n%wordBits)) != 0
}

// word returns the numbers from i*wordBits on, without the early ones.
func (s *set) word(i int) uint64 {
	kept := i - s.base - s.full
	switch {
	case i < s.base || kept >= len(s.words):
		return 0
	case kept < 0:
		return ^uint64(0)
	}
	return s.words[kept]
}

// or adds the numbers of a word from the base on.
func (s *set) or(i int, word uint64) {
	kept := i - s.base - s.full
	if kept < 0 || word == 0 {
		return
	}
	for kept >= len(s.words) {
		s.words = append(s.words, 0)
	}
	s.words[kept] |= word
	for len(s.words) > 0 && s.words[0] == ^uint64(0) {
		s.words = s.words[1:]
		s.full++
	}
}

// end is the index behind the last word.
func (s *set) end() int { return s.base + s.full + len(s.words) }

// union adds the elements of other.
func (s *set) union(other *set) {
	for i := other.base; i < other.end(); i++ {
		if i >= s.base {
			s.or(i, other.word(i))
		} else {
			each(i, other.word(i), func(n int) { s.add(n) })
		}
	}
	for _, n := range other.early {
		s.add(n)
	}
}

// each visits the numbers in a word.
func each(i int, word uint64, visit func(n int)) {
	for ; word != 0; word &= word - 1 {
		visit(i*wordBits + bits.TrailingZeros64(word))
	}
}
