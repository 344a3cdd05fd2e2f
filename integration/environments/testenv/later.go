package testenv

import (
	"time"
	"unsafe"
)

// Later returns t with another wall clock, in whole seconds, and the same reading
// of the monotonic clock, which package time lets nobody make: as after a pause of
// the whole machine. The layout is that of time.Time: a word of which the bits from
// 30 up to 62 count seconds.
func Later(t time.Time, by time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(by/time.Second) << 30
	return t
}
