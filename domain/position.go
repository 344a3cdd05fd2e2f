package domain

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxSeq is the largest number of a message: the largest whole number that JavaScript
// counts exactly.
const MaxSeq = 1<<53 - 1

// maxEpoch is the longest epoch, in bytes.
const maxEpoch = 16

// Epoch names a stretch of a channel's log in which no number is used twice. After it the
// log has started over, and what a client knows of the numbers before is of no use.
type Epoch string

// Valid reports whether the epoch has 1 to 16 digits and lower-case letters.
func (e Epoch) Valid() bool {
	return e != "" && len(e) <= maxEpoch && onlyOf(string(e), epochCharacters)
}

const epochCharacters = "0123456789abcdefghijklmnopqrstuvwxyz"

// Position is a place in the log of a channel: that of the message with the number. The
// zero Position is before the oldest message.
type Position struct {
	Epoch Epoch
	Seq   int64 // 1 to MaxSeq, or 0 for the place that NothingSince returned
}

// timeDigits are enough for any Plausible time in milliseconds.
const timeDigits = 9

// NothingSince returns the place in a log that kept no message at a time. Its epoch is
// that time and the log's name, of at most seven digits and lower-case letters: a log that
// has lost its messages, or another one, has another name.
func NothingSince(at time.Time, log string) Position {
	text := strconv.FormatInt(max(0, at.UnixMilli()), 36)
	return Position{Epoch: Epoch(strings.Repeat("0", max(0, timeDigits-len(text))) + text + log)}
}

// Nothing returns the time and the log's name if the position is one that NothingSince
// returned.
func (p Position) Nothing() (since time.Time, log string, ok bool) {
	if p.Seq != 0 || len(p.Epoch) < timeDigits {
		return time.Time{}, "", false
	}
	ms, err := strconv.ParseInt(string(p.Epoch[:timeDigits]), 36, 64)
	since = time.UnixMilli(ms)
	return since, string(p.Epoch[timeDigits:]), err == nil && Plausible(since)
}

// String returns the position as clients see it: "EPOCH.SEQ". It is empty for the zero
// Position.
func (p Position) String() string {
	if p == (Position{}) {
		return ""
	}
	return string(p.Epoch) + "." + strconv.FormatInt(p.Seq, 10)
}

// ParsePosition reads what String returned for a position that is not zero. The error is
// an *Error with code InvalidPosition.
func ParsePosition(text string) (Position, error) {
	epoch, number, _ := strings.Cut(text, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	p := Position{Epoch: Epoch(epoch), Seq: seq}
	_, _, nothing := p.Nothing()
	if err != nil || !p.Epoch.Valid() || !nothing && (seq < 1 || seq > MaxSeq) || p.String() != text {
		return Position{}, &Error{Code: InvalidPosition, Cause: fmt.Errorf("%.40q", text)}
	}
	return p, nil
}
