package dynamostore

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

func TestCursorIsValidated(t *testing.T) {
	here := domain.Segment{Index: 1, Total: 4}
	encode := func(text string) domain.Cursor {
		return domain.Cursor(base64.RawURLEncoding.EncodeToString([]byte(text)))
	}
	for name, from := range map[string]domain.Cursor{
		"not base64":    "{}",
		"not JSON":      encode("x"),
		"no position":   encode("{}"),
		"other version": encode(`{"v":2,"i":1,"n":4,"k":"a"}`),
		"other segment": encodeCursor("a", domain.Segment{Index: 2, Total: 4}),
		"other total":   encodeCursor("a", domain.Segment{Index: 1, Total: 5}),
		"whole table":   encodeCursor("a", domain.Segment{}),
		"no key":        encodeCursor("", here),
		"key too long":  encodeCursor(strings.Repeat("a", maxKey+1), here),
	} {
		if last, err := decodeCursor(from, here); !errors.Is(err, ports.ErrBadCursor) {
			t.Errorf("%s: got %q, %v, want ErrBadCursor", name, last, err)
		}
	}
	for _, whole := range []domain.Segment{{}, {Total: 1}} {
		if last, err := decodeCursor(encodeCursor("a=", domain.Segment{}), whole); last != "a=" || err != nil {
			t.Errorf("segment %+v: got %q, %v", whole, last, err)
		}
	}
}

// TestKeyOfAnotherSegment makes bad cursors that only DynamoDB can recognize.
func TestKeyOfAnotherSegment(t *testing.T) {
	store := New(awslocal.DynamoDB(t), awslocal.CreateTable(t), Options{Timeout: time.Minute})
	refused := 0
	for i := range 8 {
		segment := domain.Segment{Index: i, Total: 8}
		_, err := store.Scan(t.Context(), segment, encodeCursor("a", segment))
		switch {
		case errors.Is(err, ports.ErrBadCursor):
			refused++
		case err != nil:
			t.Errorf("segment %d: %v", i, err)
		}
	}
	if refused != 7 {
		t.Errorf("%d of 8 segments refused a key, want all but one", refused)
	}
}

func TestScanOfAMissingTable(t *testing.T) {
	store := New(awslocal.DynamoDB(t), "missing", Options{Timeout: time.Minute})
	_, err := store.Scan(t.Context(), domain.Segment{}, "")
	if err == nil || errors.Is(err, ports.ErrBadCursor) {
		t.Errorf("got %v, want an error that is not ErrBadCursor", err)
	}
}

func FuzzDecodeCursor(f *testing.F) {
	f.Add("", 0, 0)
	f.Add("e30", 0, 1)
	f.Add(string(encodeCursor("L0SM9cOFvHcCIhw=", domain.Segment{Index: 1, Total: 4})), 1, 4)
	f.Add(fmt.Sprintf("%x", "not a cursor"), 3, 4)
	f.Fuzz(func(t *testing.T, from string, index, total int) {
		segment := domain.Segment{Index: index, Total: total}
		last, err := decodeCursor(domain.Cursor(from), segment)
		if err != nil {
			if !errors.Is(err, ports.ErrBadCursor) {
				t.Errorf("got %v, want ErrBadCursor", err)
			}
			return
		}
		if again, err := decodeCursor(encodeCursor(last, segment), segment); again != last || err != nil {
			t.Errorf("%q became %q, %v", last, again, err)
		}
	})
}
