package wsgateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// refusal is the answer to a request that opens no connection.
type refusal struct {
	status      int
	contentType string
	body        string
}

// refuse returns a refusal with a message from the gateway.
func refuse(status int, message string) refusal {
	return refuseWith(status, gatewayMessage{Message: message})
}

func refuseWith(status int, message gatewayMessage) refusal {
	body, _ := json.Marshal(message) // strings always marshal
	return refusal{status, "application/json", string(body)}
}

func badRequest(message string) refusal { return refuse(http.StatusBadRequest, message) }

func (r refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// asRefusal returns err as a refusal, if it is one.
func asRefusal(err error) (r refusal, ok bool) {
	ok = errors.As(err, &r)
	return r, ok
}

// response returns the HTTP response.
func (r refusal) response() []byte {
	more := "Connection: close\r\n"
	switch r.status {
	case http.StatusUnauthorized:
		more += "WWW-Authenticate: Bearer\r\n"
	case http.StatusMethodNotAllowed:
		more += "Allow: GET\r\n"
	case http.StatusUpgradeRequired:
		more = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n%sContent-Type: %s\r\nContent-Length: %d\r\nDate: %s\r\n\r\n%s",
		r.status, http.StatusText(r.status), more, r.contentType, len(r.body), time.Now().UTC().Format(http.TimeFormat), r.body)
}
