package tally

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// members are the numbers in the set, read from its words.
func (s *set) members() []int {
	all := slices.Clone(s.early)
	for i := range s.end() {
		each(i, s.word(i), func(n int) { all = append(all, n) })
	}
	slices.Sort(all)
	return all
}

func TestSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 400
		numbers := rapid.IntRange(0, most)
		draw := func() (set, map[int]bool) {
			s, model := newSet(numbers.Draw(t, "first")), map[int]bool{}
			add := func(n int) {
				if s.add(n) == model[n] {
					t.Fatalf("add(%d) did not report that it was present: %v", n, model[n])
				}
				model[n] = true
			}
			// A run without gaps, which is how broadcasts mostly arrive.
			from, to := numbers.Draw(t, "from"), numbers.Draw(t, "to")
			for n := from; n <= to; n++ {
				add(n)
			}
			for range rapid.IntRange(0, 30).Draw(t, "more") {
				add(numbers.Draw(t, "n"))
			}
			return s, model
		}
		s, model := draw()
		other, otherModel := draw()
		for n := range most + 1 {
			if s.has(n) != model[n] {
				t.Fatalf("has(%d) is %v", n, s.has(n))
			}
		}
		s.union(&other)
		maps.Copy(model, otherModel)
		if got, want := s.members(), slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

// In order and without gaps, a set does not grow.
func TestSetIsCompact(t *testing.T) {
	var s set
	for n := range 1_000_000 {
		s.add(n)
		if len(s.words) > 1 {
			t.Fatalf("%d words at %d", len(s.words), n)
		}
	}
}
