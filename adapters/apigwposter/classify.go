package apigwposter

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"serverless-websocket/ports"
)

// byType has the error types of PostToConnection, and those with which AWS services
// throttle, whatever the status.
// https://docs.aws.amazon.com/apigatewaymanagementapi/latest/api/
// https://docs.aws.amazon.com/general/latest/gr/api-retries.html
var byType = map[string]error{
	"GoneException":            ports.ErrGone,
	"LimitExceededException":   ports.ErrThrottled,
	"TooManyRequestsException": ports.ErrThrottled,
	"ThrottlingException":      ports.ErrThrottled,
	"PayloadTooLargeException": ports.ErrTooLarge,
	"ForbiddenException":       ports.ErrRejected,
	"BadRequestException":      ports.ErrRejected,
}

// answer is what a post needs to know about an HTTP response.
type answer struct {
	status    int
	errorType string
	requestID string
	last      bool // nothing can follow on the connection
}

// err returns nil for a post that was accepted. The error type decides or, if the server
// omits it, the HTTP status.
func (a answer) err() error {
	if a.status/100 == 2 {
		return nil
	}
	// AWS services write "namespace#Name:URL", where everything but the name is optional.
	name, _, _ := strings.Cut(a.errorType, ":")
	name = name[strings.LastIndexByte(name, '#')+1:]
	err := fmt.Errorf("status %d %s, request id %s", a.status, name, a.requestID)
	if kind := cmp.Or(byType[name], byStatus(a.status)); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

// byStatus returns nil for an answer after which a later post may succeed: one from a
// server in trouble or an unexpected one.
func byStatus(status int) error {
	switch {
	case status == http.StatusGone:
		return ports.ErrGone
	case status == http.StatusTooManyRequests:
		return ports.ErrThrottled
	case status == http.StatusRequestEntityTooLarge:
		return ports.ErrTooLarge
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly:
		return nil
	case status/100 == 3 || status/100 == 4:
		return ports.ErrRejected
	}
	return nil
}
