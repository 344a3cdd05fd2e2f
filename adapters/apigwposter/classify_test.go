package apigwposter_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/ports"
)

func TestAnswers(t *testing.T) {
	var later error // none of the sentinels: may succeed later
	for _, test := range []struct {
		statuses  []int
		errorType string
		want      error
	}{
		{[]int{410}, "", ports.ErrGone},
		{[]int{429}, "", ports.ErrThrottled},
		{[]int{413}, "", ports.ErrTooLarge},
		{[]int{301, 302, 307, 308}, "", ports.ErrRejected},
		{[]int{400, 401, 403, 404, 405, 414, 415, 422, 431, 451}, "", ports.ErrRejected},
		{[]int{408, 425, 500, 501, 502, 503, 504, 599}, "", later},

		// As API Gateway answers.
		{[]int{410}, "GoneException", ports.ErrGone},
		{[]int{429}, "LimitExceededException", ports.ErrThrottled},
		{[]int{413}, "PayloadTooLargeException", ports.ErrTooLarge},
		{[]int{403}, "ForbiddenException", ports.ErrRejected},
		{[]int{400}, "BadRequestException", ports.ErrRejected},
		{[]int{500}, "InternalServerErrorException", later},

		// The type decides if it is known.
		{[]int{400, 403, 404, 500}, "GoneException", ports.ErrGone},
		{[]int{400}, "com.amazonaws#GoneException:http://internal.amazon.com/", ports.ErrGone},
		{[]int{400, 503}, "ThrottlingException", ports.ErrThrottled},
		{[]int{400}, "TooManyRequestsException", ports.ErrThrottled},
		{[]int{400}, "PayloadTooLargeException", ports.ErrTooLarge},
		{[]int{410, 500}, "ForbiddenException", ports.ErrRejected},
		{[]int{500}, "BadRequestException", ports.ErrRejected},

		// Otherwise the status does.
		{[]int{410}, "NewException", ports.ErrGone},
		{[]int{429}, "NewException", ports.ErrThrottled},
		{[]int{413}, "NewException", ports.ErrTooLarge},
		{[]int{400, 403}, "NewException", ports.ErrRejected},
		{[]int{403}, "InvalidSignatureException", ports.ErrRejected},
		{[]int{500, 503}, "NewException", later},
	} {
		for _, status := range test.statuses {
			t.Run(fmt.Sprint(status, test.errorType), func(t *testing.T) { wantAnswer(t, status, test.errorType, test.want) })
		}
	}
}

// wantAnswer fails unless one post gets the answer and returns only that sentinel, with
// the request's id.
func wantAnswer(t *testing.T, status int, errorType string, want error) {
	requests := 0
	s := newServer(t, false, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Location", r.RequestURI)
		refuse(w, status, errorType)
	})
	err := post(t.Context(), t, s.poster(apigwposter.Options{}))
	for _, sentinel := range []error{ports.ErrGone, ports.ErrThrottled, ports.ErrTooLarge, ports.ErrRejected, ports.ErrNotSent} {
		if errors.Is(err, sentinel) != (sentinel == want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "request-7") {
		t.Errorf("no request id in %v", err)
	}
	if requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
}

func TestAPostThatIsTaken(t *testing.T) {
	for _, status := range []int{200, 201, 202, 203, 204} {
		s := newServer(t, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if err := post(t.Context(), t, s.poster(apigwposter.Options{})); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
}
