package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// number writes 1234567 as 1,234,567.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short writes a number with three digits or, if it is whole, with all; never
// with an exponent.
func short(x float64) string {
	if x >= 100 || x == float64(int(x)) {
		return number(int(x + 0.5))
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64) // it is a number
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// toNext is the number from which the next unit is used: it would otherwise be written as
// 1,000.
const toNext = 999.5

// String writes the duration with three digits and a unit.
func (m Millis) String() string {
	switch {
	case m == 0:
		return "0"
	case m*1000 < toNext:
		return short(float64(m)*1000) + " µs"
	case m < toNext:
		return short(float64(m)) + " ms"
	}
	return short(float64(m)/1000) + " s"
}

// bytesText writes a size with a decimal unit.
func bytesText(n int) string {
	x, units := float64(n), []string{"bytes", "kB", "MB", "GB", "TB"}
	for x >= toNext && len(units) > 1 {
		x, units = x/1000, units[1:]
	}
	return short(x) + " " + units[0]
}

// each writes the counts as "3 HTTP 503, 1 timeout", by name.
func each(counts map[string]int, format string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf(format, number(counts[name]), name))
	}
	return strings.Join(parts, ", ")
}

// title is the settings in a line.
func (s Settings) title() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", s.Scenario, plural(s.Clients, "client"))
	if s.Broadcasts > 0 {
		fmt.Fprintf(&b, ", %s", plural(s.Broadcasts, "broadcast"))
	} else {
		b.WriteString(", broadcasts")
	}
	fmt.Fprintf(&b, " of %s bytes", number(s.Size))
	switch {
	case s.Outstanding > 0:
		fmt.Fprintf(&b, " as fast as accepted, at most %s unanswered", number(s.Outstanding))
	case s.Broadcasts == 0:
		fmt.Fprintf(&b, " from %s a second on", short(s.Rate))
	default:
		fmt.Fprintf(&b, ", %s a second", short(s.Rate))
	}
	if s.Senders > 1 {
		fmt.Fprintf(&b, ", %s senders", number(s.Senders))
	}
	if s.Details != "" {
		b.WriteString(", " + s.Details)
	}
	return b.String()
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return number(n) + " " + word
}
