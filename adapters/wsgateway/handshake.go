package wsgateway

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

const (
	subprotocolHeader = "Sec-WebSocket-Protocol"
	// acceptGUID is what a server adds to the client's key (RFC 6455, 1.3).
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// check decides whether the request is a handshake for this gateway, before
// $connect is invoked and once for all (RFC 6455, 4.2.1). The error is a refusal.
func (g *Gateway) check(r *request, address net.Addr) error {
	upgrade := refuse(http.StatusUpgradeRequired, "Upgrade Required")
	switch path := strings.TrimSuffix(r.path, "/"); {
	case path != "" && path != "/"+g.cfg.Stage:
		return refuse(http.StatusForbidden, "Forbidden")
	case r.method != http.MethodGet:
		return refuse(http.StatusMethodNotAllowed, "Method Not Allowed")
	case !hasToken(r.values("Connection"), "upgrade"), !hasToken(r.values("Upgrade"), "websocket"):
		return upgrade
	case r.minor == '0':
		return badRequest("A WebSocket handshake needs HTTP/1.1")
	case !slices.Equal(r.values("Sec-WebSocket-Version"), []string{"13"}):
		return upgrade
	case !isKey(r.values("Sec-WebSocket-Key")):
		return badRequest("Sec-WebSocket-Key is not 16 bytes in base64")
	case hasBody(r):
		return badRequest("A WebSocket handshake has no body")
	case !g.cfg.Origins.allow(r, address):
		g.cfg.Log.Debug("origin refused", "origins", r.values("Origin"), "host", r.host)
		return refuse(http.StatusForbidden, "Origin not allowed")
	}
	return nil
}

// hasToken says whether one of the lists has the token, in any case.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

func isKey(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	key, err := base64.StdEncoding.Strict().DecodeString(keys[0])
	return err == nil && len(key) == 16
}

// hasBody says whether a body follows the head. One that were taken for frames
// would let a proxy's user speak for another.
func hasBody(r *request) bool {
	lengths := r.values("Content-Length")
	return len(r.values("Transfer-Encoding")) > 0 || len(lengths) > 1 || len(lengths) == 1 && lengths[0] != "0"
}

// accepted returns the response that opens the WebSocket.
func accepted(r *request, subprotocols []string) []byte {
	sum := sha1.Sum([]byte(r.values("Sec-WebSocket-Key")[0] + acceptGUID))
	response := fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	for _, subprotocol := range subprotocols {
		response = fmt.Appendf(response, "%s: %s\r\n", subprotocolHeader, subprotocol)
	}
	return append(response, "\r\n"...)
}

// subprotocol takes from an integration's headers the one that belongs into the
// handshake's response. A browser that asked for subprotocols fails the
// connection unless one of them comes back.
func subprotocol(single map[string]string, multi map[string][]string) []string {
	for name, value := range single {
		if strings.EqualFold(name, subprotocolHeader) {
			return []string{value}
		}
	}
	for name, values := range multi {
		if strings.EqualFold(name, subprotocolHeader) {
			return values
		}
	}
	return nil
}
