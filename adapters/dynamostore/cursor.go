package dynamostore

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	cursorVersion = 1
	// maxKey is the longest partition key in bytes.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	maxKey = 2048
)

// position is the content of a cursor: the last key read, and its segment, since DynamoDB
// accepts a key only in its own segment.
type position struct {
	Version int    `json:"v"`
	Index   int    `json:"i"`
	Total   int    `json:"n"`
	Last    string `json:"k"`
}

func newPosition(last string, segment domain.Segment) position {
	return position{cursorVersion, segment.Index, max(segment.Total, 1), last}
}

func encodeCursor(last string, segment domain.Segment) domain.Cursor {
	// A struct of integers and a string cannot fail to encode.
	text, _ := json.Marshal(newPosition(last, segment))
	return domain.Cursor(base64.RawURLEncoding.EncodeToString(text))
}

// decodeCursor returns the last key read, or ErrBadCursor for a cursor that is
// not one or comes from another segment.
func decodeCursor(from domain.Cursor, segment domain.Segment) (last string, err error) {
	text, err := base64.RawURLEncoding.DecodeString(string(from))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ports.ErrBadCursor, err)
	}
	var p position
	if err := json.Unmarshal(text, &p); err != nil {
		return "", fmt.Errorf("%w: %w", ports.ErrBadCursor, err)
	}
	if p != newPosition(p.Last, segment) || p.Last == "" || len(p.Last) > maxKey {
		return "", fmt.Errorf("%w: version %d, segment %d of %d, used for segment %d of %d",
			ports.ErrBadCursor, p.Version, p.Index, p.Total, segment.Index, segment.Total)
	}
	return p.Last, nil
}
