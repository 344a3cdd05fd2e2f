package lambdalocal

import (
	"encoding/json"
	"fmt"
)

// Types of an Error reported by the service itself; any other is from the function.
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
const (
	TimedOut         = "Sandbox.Timedout"
	Exited           = "Runtime.ExitError"
	ResponseTooLarge = "Function.ResponseSizeTooLarge"
)

var errExited = &Error{Exited, "Runtime exited without providing a reason"}

// Error is Lambda's report of a failed invocation.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// Error returns the type and the message.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// parseError reads the body of a function's error report.
func parseError(body []byte) *Error {
	reported := new(Error)
	if err := json.Unmarshal(body, reported); err != nil {
		return &Error{"Runtime.Unknown", fmt.Sprintf("unreadable error %.200q", body)}
	}
	return reported
}
