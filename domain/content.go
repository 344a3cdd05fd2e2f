package domain

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Content is what a client sends to the others: one JSON value, kept byte for
// byte as it came. It is never re-encoded, so white space, key order, escapes
// and number formats reach the receivers as the sender wrote them.
type Content []byte

// ParseContent checks that raw is one JSON value in UTF-8, and neither null nor blank.
// A nil raw means that the frame had no content.
//
// The errors are *Error with code MissingContent, BlankContent (null, or a
// string of white space), TooDeep (a frame that holds it would exceed MaxDepth)
// or InvalidJSON. NewMessage finds out whether the content fits a frame.
func ParseContent(raw []byte) (Content, error) {
	if raw == nil {
		return nil, NewError(MissingContent)
	}
	if Deeper(raw, MaxDepth-1) {
		return nil, NewError(TooDeep)
	}
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, NewError(InvalidJSON)
	}
	if blank(bytes.TrimSpace(raw)) {
		return nil, NewError(BlankContent)
	}
	return Content(raw), nil
}

func blank(value []byte) bool {
	if string(value) == "null" {
		return true
	}
	if value[0] != '"' || isLetter(value[1]) {
		return false
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return false
	}
	return strings.TrimSpace(text) == ""
}

// isLetter spares most texts from being parsed.
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
