package apigwposter

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

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

// classify adds the port's error to one of the SDK, whose text has the status
// and the request id. The error type decides and, where a server leaves it out,
// the HTTP status.
func classify(err error) error {
	var typed smithy.APIError
	if errors.As(err, &typed) && byType[typed.ErrorCode()] != nil {
		return fmt.Errorf("%w: %w", byType[typed.ErrorCode()], err)
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && byStatus[response.HTTPStatusCode()] != nil {
		return fmt.Errorf("%w: %w", byStatus[response.HTTPStatusCode()], err)
	}
	return err
}
