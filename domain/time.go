package domain

import "time"

var (
	earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Plausible reports whether t, the time of a message or a registration, is between
// 1990 and 2100. Clocks may differ by minutes and a dead letter may be weeks old, but a
// time in the wrong unit is decades off.
func Plausible(t time.Time) bool {
	return !t.Before(earliest) && t.Before(latest)
}
