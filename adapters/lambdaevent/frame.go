package lambdaevent

import (
	"encoding/json"

	"serverless-websocket/domain"
)

// frame is what a client sent, as far as it could be read.
type frame struct {
	ref     string // the client's own tag for the request; may be empty
	content []byte // the bytes of the member; nil if there is none
}

// parseFrame reads a client's frame. Member names are matched exactly and the
// last of equal ones counts; a struct would match them in any case. The errors
// are *domain.Error: InvalidJSON, NotAnObject, InvalidRef.
func parseFrame(body string) (frame, error) {
	var f frame
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil || members == nil {
		if json.Valid([]byte(body)) {
			return f, domain.NewError(domain.NotAnObject)
		}
		return f, domain.NewError(domain.InvalidJSON)
	}
	f.content = members["content"]
	if raw, ok := members["ref"]; ok {
		var ref *string
		if json.Unmarshal(raw, &ref) != nil || ref == nil || len(*ref) > domain.MaxRef {
			return f, domain.NewError(domain.InvalidRef)
		}
		f.ref = *ref
	}
	return f, nil
}
