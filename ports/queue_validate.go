package ports

import (
	"fmt"
	"unicode/utf8"
)

// Validate checks m against the limits of a queue. Every adapter calls it before sending,
// so that all of them refuse the same messages. The errors are ErrTooLarge for a body
// that is too long and ErrBadMessage for the rest.
func (m QueueMessage) Validate() error {
	switch {
	case len(m.Body) > MaxQueueBody:
		return fmt.Errorf("body of %d bytes: %w", len(m.Body), ErrTooLarge)
	case m.Body == "":
		return fmt.Errorf("empty body: %w", ErrBadMessage)
	case m.Delay < 0 || m.Delay > MaxQueueDelay:
		return fmt.Errorf("delay of %v: %w", m.Delay, ErrBadMessage)
	}
	if !utf8.ValidString(m.Body) {
		return fmt.Errorf("body is not UTF-8: %w", ErrBadMessage)
	}
	for i, r := range m.Body {
		if !allowed(r) {
			return fmt.Errorf("character %U at byte %d: %w", r, i, ErrBadMessage)
		}
	}
	return nil
}

// allowed is the Char production of XML 1.0, which SQS requires of bodies.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		0x20 <= r && r <= 0xD7FF || 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r
}
