package apigwposter

import (
	"fmt"
	"net/http"
	"strings"

	"serverless-websocket/ports"
)

// https://docs.aws.amazon.com/apigatewaymanagementapi/latest/APIReference/
var (
	byType = map[string]error{
		"GoneException":            ports.ErrGone,
		"LimitExceededException":   ports.ErrThrottled,
		"PayloadTooLargeException": ports.ErrTooLarge,
	}
	byStatus = map[int]error{
		http.StatusGone:                  ports.ErrGone,
		http.StatusTooManyRequests:       ports.ErrThrottled,
		http.StatusRequestEntityTooLarge: ports.ErrTooLarge,
	}
)

// answer is what a post needs to know of an HTTP response.
type answer struct {
	status    int
	errorType string
	requestID string
	last      bool // nothing can follow on the connection
}

// err returns nil for a post that was taken. The error type decides and, where
// the server leaves it out, the HTTP status.
func (a answer) err() error {
	if a.status/100 == 2 {
		return nil
	}
	// AWS services write "namespace#Name:URL", with all but the name left out or not.
	name, _, _ := strings.Cut(a.errorType, ":")
	name = name[strings.LastIndexByte(name, '#')+1:]
	err := fmt.Errorf("status %d %s, request id %s", a.status, name, a.requestID)
	for _, kind := range []error{byType[name], byStatus[a.status]} {
		if kind != nil {
			return fmt.Errorf("%w: %w", kind, err)
		}
	}
	return err
}
