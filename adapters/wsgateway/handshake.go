package wsgateway

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
)

const (
	subprotocolHeader = "Sec-WebSocket-Protocol"
	keyHeader         = "Sec-WebSocket-Key"
	keyBytes          = 16
	// usualResponse is large enough for a response without subprotocols.
	usualResponse = 160
	// acceptGUID is appended to the client's key (RFC 6455, 1.3).
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// check decides, once and before $connect is invoked, whether the request is a
// handshake for this gateway (RFC 6455, 4.2.1). The error is a refusal.
func (g *Gateway) check(r *request, sock net.Conn) error {
	switch path := strings.TrimSuffix(r.path, "/"); {
	case path != "" && path != "/"+g.cfg.Stage:
		return forbidden
	case r.method != http.MethodGet:
		return refuse(http.StatusMethodNotAllowed, "Method Not Allowed")
	case !hasToken(r.values("Connection"), "upgrade"), !hasToken(r.values("Upgrade"), "websocket"):
		return upgradeRequired
	case r.minor == '0':
		return badRequest("A WebSocket handshake needs HTTP/1.1")
	case !isVersion(r):
		return upgradeRequired
	case !hasKey(r):
		return badRequest("Sec-WebSocket-Key is not 16 bytes in base64")
	case hasBody(r):
		return badRequest("A WebSocket handshake has no body")
	case !g.allowsPage(r, sock):
		g.observe(func(o Observer) { o.OriginRefused(slices.Collect(r.values("Origin")), r.host) })
		return refuse(http.StatusForbidden, "Origin not allowed")
	}
	return nil
}

var (
	forbidden       = refuse(http.StatusForbidden, "Forbidden")
	upgradeRequired = refuse(http.StatusUpgradeRequired, "Upgrade Required")
)

// hasToken reports whether one of the lists contains the token, ignoring case.
func hasToken(lists iter.Seq[string], token string) bool {
	for list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

func isVersion(r *request) bool {
	version, fields := r.value("Sec-WebSocket-Version")
	return fields == 1 && version == "13"
}

var strictBase64 = base64.StdEncoding.Strict()

func hasKey(r *request) bool {
	key, fields := r.value(keyHeader)
	if fields != 1 || len(key) != strictBase64.EncodedLen(keyBytes) {
		return false
	}
	n, err := strictBase64.Decode(make([]byte, strictBase64.DecodedLen(len(key))), []byte(key))
	return err == nil && n == keyBytes
}

// hasBody reports whether a body follows the head. If a body were read as frames, one
// user of a proxy could send messages in another's name.
func hasBody(r *request) bool {
	_, codings := r.value("Transfer-Encoding")
	length, lengths := r.value("Content-Length")
	return codings > 0 || lengths > 1 || lengths == 1 && length != "0"
}

// accepted returns the response that opens the WebSocket.
func accepted(r *request, subprotocols []string) []byte {
	key, _ := r.value(keyHeader)
	var digested [usualResponse]byte
	sum := sha1.Sum(append(append(digested[:0], key...), acceptGUID...))
	response := append(make([]byte, 0, usualResponse), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Accept: "...)
	response = append(base64.StdEncoding.AppendEncode(response, sum[:]), "\r\n"...)
	for _, subprotocol := range subprotocols {
		response = fmt.Appendf(response, "%s: %s\r\n", subprotocolHeader, subprotocol)
	}
	return append(response, "\r\n"...)
}

// subprotocol returns the values of the subprotocol header in an integration's
// response, which are copied to the handshake's response. A browser that asked for
// subprotocols fails the connection unless it gets one of them back.
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
