// Package wire is a client of the service for a load generator: the handshake, frames,
// and the broadcasts of a run, cheap enough to leave the machine to the server. An idle
// connection holds no buffer, and a delivery is recognized without decoding all of its
// JSON.
package wire

import (
	"bytes"
	"strconv"
	"time"
)

// Sizes of a content in bytes. MinSize leaves room for the stamp; MaxSize keeps the sent
// and the delivered frame within the 32 KiB that API Gateway allows.
const (
	MinSize = 80
	MaxSize = 32<<10 - 160
)

// RunIDLength is the length of a run's id, in bytes.
const RunIDLength = 8

// Stamp is what a broadcast says about itself. Times are those of the Clock.
type Stamp struct {
	N         int   // number of the broadcast within its run, from 0
	Due, Sent int64 // when it was due, and when it was sent
}

// Clock counts microseconds since its creation. It is monotonic.
type Clock struct{ start time.Time }

// NewClock returns a clock that starts now.
func NewClock() Clock { return Clock{time.Now()} }

// Now returns the microseconds since the start.
func (c Clock) Now() int64 { return time.Since(c.start).Microseconds() }

// Until returns the time from now until the given time, in microseconds since the start.
// It is negative if that has passed.
func (c Clock) Until(moment int64) time.Duration {
	return time.Duration(moment)*time.Microsecond - time.Since(c.start)
}

// A content is {"run":"…","n":0,"due":0,"sent":0,"pad":"xxx"} with nothing else
// in it, not even white space.
const (
	keyDue     = `,"due":`
	keySent    = `,"sent":`
	keyPad     = `,"pad":"`
	contentEnd = `"}`
)

// Codec writes and recognizes the broadcasts of one run. It is safe for concurrent use.
type Codec struct {
	protocol Protocol
	size     int
	run      string
	head     []byte // of each content, up to its number
	pad      []byte
}

// NewCodec returns the codec of a run whose contents have the given size. The id of the
// run, RunIDLength letters and digits, distinguishes them from those of others.
func NewCodec(run string, size int, protocol Protocol) *Codec {
	return &Codec{
		protocol: protocol,
		size:     size,
		run:      run,
		head:     []byte(`{"run":"` + run + `","n":`),
		pad:      bytes.Repeat([]byte("x"), size),
	}
}

func (c *Codec) appendContent(to []byte, s Stamp) []byte {
	start := len(to)
	to = c.appendHead(to, s)
	to = append(to, c.padding(len(to)-start)...)
	return append(to, contentEnd...)
}

// appendHead appends a content up to its padding.
func (c *Codec) appendHead(to []byte, s Stamp) []byte {
	to = append(to, c.head...)
	to = strconv.AppendInt(to, int64(s.N), 10)
	to = append(to, keyDue...)
	to = strconv.AppendInt(to, s.Due, 10)
	to = append(to, keySent...)
	to = strconv.AppendInt(to, s.Sent, 10)
	return append(to, keyPad...)
}

// padding is what follows a head of the given length.
func (c *Codec) padding(head int) []byte {
	return c.pad[:max(0, c.size-head-len(contentEnd))]
}
