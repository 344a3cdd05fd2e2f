package domain

import "time"

var (
	earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Plausible reports whether t, as the time of a message or a registration, lies
// between 1990 and 2100. The clocks of two machines may differ by minutes, and a
// dead letter may be weeks old; a time in the wrong unit is decades off.
func Plausible(t time.Time) bool {
	return !t.Before(earliest) && t.Before(latest)
}
