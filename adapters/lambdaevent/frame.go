package lambdaevent

import (
	"encoding/json"
	"unicode/utf8"

	"serverless-websocket/domain"
)

// frame is what a client sent, as far as it could be read.
type frame struct {
	ref     json.RawMessage            // the client's own tag, as sent; nil if there is none
	members map[string]json.RawMessage // all members, by their exact names
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
	if err := json.Unmarshal([]byte(body), &f.members); err != nil || f.members == nil {
		if json.Valid([]byte(body)) {
			return f, domain.NewError(domain.NotAnObject)
		}
		return f, domain.NewError(domain.InvalidJSON)
	}
	if ref, ok := f.members["ref"]; ok {
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

// again returns the member that says that a message may have been sent before. The error is
// InvalidAgain for anything but true and false.
func (f frame) again() (again bool, err error) {
	value, sent := f.members["again"]
	if sent && (json.Unmarshal(value, &again) != nil || string(value) == "null") {
		return false, domain.NewError(domain.InvalidAgain)
	}
	return again, nil
}

// text returns a member that is a string. It reports false for a missing one, and for
// any other value.
func (f frame) text(name string) (string, bool) {
	var text *string
	if json.Unmarshal(f.members[name], &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}
