package wire

import "bytes"

const (
	envelopeHead = `{"messages":[`
	envelopeTail = `]}`
	channelKey   = `],"channel":` // in place of the tail, with history
	epochKey     = `,"epoch":`
	contentKey   = `"content":`
)

// Scan adds the content of a server message to the batch. It knows the form in which the
// service writes the run's broadcasts, and leaves everything else to encoding/json.
func (c *Codec) Scan(b *Batch, message []byte) {
	if c.protocol == Centrifuge {
		c.scanLines(b, message)
	} else if rest, ok := cut(message, envelopeHead); ok {
		c.scanRest(b, rest)
	} else {
		c.decode(b, message)
	}
}

// scanRest is Scan for an envelope without its head.
func (c *Codec) scanRest(b *Batch, rest []byte) {
	stamps, foreign := len(b.Stamps), b.Foreign
	if c.scanMessages(b, rest) {
		b.Frames++
		return
	}
	b.Stamps, b.Foreign = b.Stamps[:stamps], foreign
	c.decode(b, append([]byte(envelopeHead), rest...))
}

// scanPart adds the content of the beginning of a message to the batch, and returns what
// it did not understand: if begun is false, nothing was taken from it; otherwise it
// belongs to an envelope whose head is gone. begun is the result for the previous part.
func (c *Codec) scanPart(b *Batch, part []byte, begun bool) (rest []byte, nowBegun bool) {
	if !begun {
		if rest, begun = cut(part, envelopeHead); !begun {
			return part, false
		}
		part = rest
	}
	for {
		s, own, rest, ok := c.scanMessage(part)
		if ok {
			rest, ok = cut(rest, ",")
		}
		if !ok {
			return part, true
		}
		b.add(s, own)
		part = rest
	}
}

// scanMessages reports whether it understood all of an envelope after its head.
func (c *Codec) scanMessages(b *Batch, rest []byte) bool {
	for ok := true; ok; rest, ok = cut(rest, ",") {
		var s Stamp
		var own bool
		if s, own, rest, ok = c.scanMessage(rest); !ok {
			return false
		}
		b.add(s, own)
		if scanTail(rest) {
			return true
		}
	}
	return false
}

// scanTail reads the end of an envelope.
func scanTail(in []byte) bool {
	if string(in) == envelopeTail {
		return true
	}
	rest, ok := cut(in, channelKey)
	if ok {
		rest, ok = scanString(rest)
	}
	if ok {
		rest, ok = cut(rest, epochKey)
	}
	if ok {
		rest, ok = scanString(rest)
	}
	return ok && string(rest) == "}"
}

// scanMessage reads an object with one content, which is a stamp or, if it is not the
// run's own, a string; all other members are strings or numbers. No string has escapes.
func (c *Codec) scanMessage(in []byte) (s Stamp, own bool, rest []byte, ok bool) {
	found := false
	if rest, ok = cut(in, "{"); !ok {
		return s, own, nil, false
	}
	for {
		if value, is := cut(rest, contentKey); is && !found {
			found = true
			if rest, own = c.scanStamp(value, &s); !own {
				rest, ok = scanString(value)
			}
		} else if is {
			return s, own, nil, false
		} else {
			rest, ok = scanMember(rest)
		}
		if !ok || len(rest) == 0 {
			return s, own, nil, false
		}
		if rest[0] == '}' {
			return s, own, rest[1:], found
		}
		if rest, ok = cut(rest, ","); !ok {
			return s, own, nil, false
		}
	}
}

// scanStamp reads content that is byte for byte what appendContent writes.
func (c *Codec) scanStamp(in []byte, s *Stamp) (rest []byte, ok bool) {
	if !bytes.HasPrefix(in, c.head) {
		return nil, false
	}
	rest = in[len(c.head):]
	var n int64
	if n, rest, ok = scanNumber(rest); !ok {
		return nil, false
	}
	s.N = int(n)
	if rest, ok = cut(rest, keyDue); !ok {
		return nil, false
	}
	if s.Due, rest, ok = scanNumber(rest); !ok {
		return nil, false
	}
	if rest, ok = cut(rest, keySent); !ok {
		return nil, false
	}
	if s.Sent, rest, ok = scanNumber(rest); !ok {
		return nil, false
	}
	if rest, ok = cut(rest, keyPad); !ok {
		return nil, false
	}
	pad := c.padding(len(in) - len(rest))
	if !bytes.HasPrefix(rest, pad) {
		return nil, false
	}
	return cut(rest[len(pad):], contentEnd)
}

// scanNumber reads a JSON number that is a natural one of at most 18 digits.
func scanNumber(in []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for ; i < len(in) && i < 19 && '0' <= in[i] && in[i] <= '9'; i++ {
		n = 10*n + int64(in[i]-'0')
	}
	leadingZero := i > 1 && in[0] == '0'
	return n, in[i:], 1 <= i && i <= 18 && !leadingZero
}

// scanMember reads a key and a value that is a string or a number.
func scanMember(in []byte) (rest []byte, ok bool) {
	if rest, ok = scanString(in); !ok {
		return nil, false
	}
	if rest, ok = cut(rest, ":"); !ok {
		return nil, false
	}
	if _, after, ok := scanNumber(rest); ok {
		return after, true
	}
	return scanString(rest)
}

// scanString reads a JSON string without escapes.
func scanString(in []byte) (rest []byte, ok bool) {
	if len(in) == 0 || in[0] != '"' {
		return nil, false
	}
	for i := 1; i < len(in); i++ {
		switch b := in[i]; {
		case b == '"':
			return in[i+1:], true
		case b == '\\' || b < ' ':
			return nil, false
		}
	}
	return nil, false
}

func cut(in []byte, prefix string) (rest []byte, ok bool) {
	if len(in) < len(prefix) || string(in[:len(prefix)]) != prefix {
		return nil, false
	}
	return in[len(prefix):], true
}
