package lambdaevent

import (
	"encoding/json"
	"unicode/utf8"

	"serverless-websocket/domain"
)

// frame is what a client sent, as far as it could be read.
type frame struct {
	ref     json.RawMessage // the client's own tag, as sent; nil if there is none
	content []byte          // the bytes of the member; nil if there is none
}

// parseFrame reads a client's frame. Member names match exactly and the last of equal
// names counts; a struct would ignore case. The errors are *domain.Error: TooDeep,
// InvalidJSON, NotAnObject, InvalidRef. A frame that is both too deep and malformed is
// TooDeep: parsing stops there.
func parseFrame(body string) (frame, error) {
	var f frame
	if domain.Deeper(body, domain.MaxDepth) {
		return f, domain.NewError(domain.TooDeep)
	}
	if !utf8.ValidString(body) {
		return f, domain.NewError(domain.InvalidJSON)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil || members == nil {
		if json.Valid([]byte(body)) {
			return f, domain.NewError(domain.NotAnObject)
		}
		return f, domain.NewError(domain.InvalidJSON)
	}
	f.content = members["content"]
	if ref, ok := members["ref"]; ok {
		if !validRef(ref) {
			return f, domain.NewError(domain.InvalidRef)
		}
		f.ref = ref
	}
	return f, nil
}

// validRef reports whether the JSON value is a string of at most domain.MaxRef bytes.
// Half a surrogate pair, which has no UTF-8 form, counts as three.
func validRef(value json.RawMessage) bool {
	var text *string
	return json.Unmarshal(value, &text) == nil && text != nil && len(*text) <= domain.MaxRef
}
