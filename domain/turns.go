package domain

import "slices"

// Turns returns how many messages of each list fit into an answer when the lists take
// turns, one message at a time, as long as these have at most limit bytes of JSON with the
// commas between them. A list whose next message does not fit has no more turns. If no
// list has a first message that fits, the first of them all is taken, whatever its size.
func Turns(lists [][]Message, limit int) []int {
	taken, left := make([]int, len(lists)), slices.Clone(lists)
	size := 0
	for again := true; again; {
		again = false
		for i := range left {
			if len(left[i]) == 0 {
				continue
			}
			grown := size + messageSize(left[i][0]) + len(",")
			if grown > limit {
				left[i] = nil
				continue
			}
			size, left[i] = grown, left[i][1:]
			taken[i]++
			again = true
		}
	}
	if i := slices.IndexFunc(lists, func(l []Message) bool { return len(l) > 0 }); i >= 0 && size == 0 {
		taken[i] = 1
	}
	return taken
}
