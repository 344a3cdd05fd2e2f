package httpapi

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// bodyOf returns the body of a response. It fails for a response that API Gateway would
// not accept.
func bodyOf(response events.APIGatewayV2HTTPResponse) ([]byte, error) {
	if status := response.StatusCode; status != 0 && (status < 200 || status > 599) {
		return nil, fmt.Errorf("response with the status %d", status)
	}
	if !response.IsBase64Encoded {
		return []byte(response.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(response.Body)
	if err != nil {
		return nil, fmt.Errorf("body of the response: %w", err)
	}
	return body, nil
}

// write writes a response. Without a status it gets 200 and counts as JSON; with a status
// but no type it counts as text. Each cookie becomes its own header; format 2.0 has no
// other way to repeat a header.
func write(w http.ResponseWriter, response events.APIGatewayV2HTTPResponse, body []byte) error {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	if response.StatusCode == 0 {
		header.Set("Content-Type", "application/json")
	}
	for name, value := range response.Headers {
		header.Set(name, value)
	}
	header.Del("Content-Length") // net/http knows it
	for _, cookie := range response.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	w.WriteHeader(cmp.Or(response.StatusCode, http.StatusOK))
	_, err := w.Write(body)
	return err
}

// refuse answers like API Gateway itself.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, http.StatusText(status)) // the client may be gone; no one is left to tell
}
