package memlog

import "slices"

// fifo is a queue. Its array is never much larger than what it holds.
type fifo[T any] struct {
	items []T
	gone  int // places of the array before the items
}

func (f *fifo[T]) push(item T) {
	if len(f.items) == cap(f.items) {
		f.gone = 0 // append makes a new array
	}
	f.items = append(f.items, item)
}

// pop returns the first item, which must exist.
func (f *fifo[T]) pop() T {
	var none T
	first := f.items[0]
	f.items[0] = none // so that nothing holds on to it
	f.items = f.items[1:]
	if f.gone++; f.gone > len(f.items) {
		f.items, f.gone = slices.Clip(slices.Clone(f.items)), 0
	}
	return first
}

// insert puts an item before the one at a place.
func (f *fifo[T]) insert(at int, item T) {
	f.push(item)
	copy(f.items[at+1:], f.items[at:])
	f.items[at] = item
}

// remove removes and returns the item at a place.
func (f *fifo[T]) remove(at int) T {
	item := f.items[at]
	copy(f.items[1:at+1], f.items[:at])
	f.pop()
	return item
}
