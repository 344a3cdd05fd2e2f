package memstore

import (
	"errors"
	"math"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func TestCursorOfAnotherSegment(t *testing.T) {
	first := domain.Segment{Index: 0, Total: 2}
	second := domain.Segment{Index: 1, Total: 2}
	at := positionOf("a")
	good, bad := first, second
	if at.hash > math.MaxUint64/2 {
		good, bad = second, first
	}
	if _, _, err := bounds(good, at.cursor()); err != nil {
		t.Errorf("in its own segment: %v", err)
	}
	if _, _, err := bounds(bad, at.cursor()); !errors.Is(err, ports.ErrBadCursor) {
		t.Errorf("in the other segment: %v, want ErrBadCursor", err)
	}
}

// FuzzCursor: only what cursor writes is a cursor; everything else is refused.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		"", "a", "0123456789abcdef", "zzzzzzzzzzzzzzzzid", string(positionOf("L0SM9cOFvHcCIhw=").cursor()),
		"+123456789abcdefid", string(positionOf("").cursor()), string(positionOf("연결").cursor()),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseCursor(domain.Cursor(text))
		if err != nil {
			if !errors.Is(err, ports.ErrBadCursor) {
				t.Errorf("parsing %q: %v, want ErrBadCursor", text, err)
			}
			return
		}
		if string(at.cursor()) != text {
			t.Errorf("%q was read as %+v", text, at)
		}
	})
}
