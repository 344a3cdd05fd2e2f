package wsgateway

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
)

const (
	subprotocolHeader = "Sec-WebSocket-Protocol"
	keyLength         = 24 // 16 bytes in base64 (RFC 6455, 4.1)
)

// ServeHTTP takes WebSocket handshakes on "/" and "/{stage}", either with or
// without a slash at the end. $connect is invoked before the socket opens, and
// its status decides: after one that is not 2xx, the client gets that status and
// the body, and no socket.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if path != "" && path != "/"+g.cfg.Stage {
		refuse(w, http.StatusForbidden, gatewayMessage{Message: "Forbidden"})
		return
	}
	if status := checkHandshake(r); status != http.StatusSwitchingProtocols {
		w.Header().Set("Allow", http.MethodGet)
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-WebSocket-Version", "13")
		refuse(w, status, gatewayMessage{Message: http.StatusText(status)})
		return
	}
	if !g.admitConnection() {
		refuse(w, http.StatusServiceUnavailable, gatewayMessage{Message: "Service Unavailable"})
		return
	}
	defer g.running.Done()
	defer g.handshakes.Done()
	c := g.newConn(r)
	header, ok := g.connect(w, r, c)
	if !ok {
		g.release()
		return
	}
	g.open(w, r, c, header)
}

// checkHandshake finds out before $connect is invoked whether the request can
// be upgraded (RFC 6455, 4.2.1). It returns the status to answer with.
func checkHandshake(r *http.Request) int {
	switch {
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed
	case !hasToken(r.Header, "Connection", "upgrade"), !hasToken(r.Header, "Upgrade", "websocket"):
		return http.StatusUpgradeRequired
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return http.StatusUpgradeRequired
	case len(r.Header.Get("Sec-WebSocket-Key")) != keyLength, !r.ProtoAtLeast(1, 1), r.Host == "":
		return http.StatusBadRequest
	}
	return http.StatusSwitchingProtocols
}

func hasToken(header http.Header, name, token string) (found bool) {
	httphead.ScanTokens([]byte(strings.Join(header.Values(name), ",")), func(t []byte) bool {
		found = strings.EqualFold(string(t), token)
		return !found
	})
	return found
}

// connect invokes $connect. It returns the headers for the handshake's response,
// or answers the request and returns false.
func (g *Gateway) connect(w http.ResponseWriter, r *http.Request, c *conn) (http.Header, bool) {
	route, ok := g.cfg.Routes[connectRoute]
	if !ok {
		return nil, true
	}
	event := c.connectEvent(r)
	response, err := g.invoke(route.Integration, event)
	if err == nil {
		err = checkStatus(response.StatusCode)
	}
	if err != nil {
		g.logFailure(event, err)
		refuse(w, http.StatusBadGateway, c.gatewayMessage("Internal server error", event))
		return nil, false
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write([]byte(response.Body)) // the client may be gone; there is nobody to tell
		return nil, false
	}
	return subprotocol(response.Headers, response.MultiValueHeaders), true
}

// subprotocol takes from an integration's headers the one that belongs into the
// handshake's response. A browser that asked for subprotocols fails the
// connection unless one of them comes back.
func subprotocol(single map[string]string, multi map[string][]string) http.Header {
	for name, value := range single {
		if strings.EqualFold(name, subprotocolHeader) {
			return http.Header{subprotocolHeader: {value}}
		}
	}
	for name, values := range multi {
		if strings.EqualFold(name, subprotocolHeader) {
			return http.Header{subprotocolHeader: values}
		}
	}
	return nil
}

// open answers the handshake and starts the connection. Its mutex is held until
// the response is written: a post that comes meanwhile waits for that one write
// to a fresh socket, so that no client sees its socket open and then misses one.
func (g *Gateway) open(w http.ResponseWriter, r *http.Request, c *conn, header http.Header) {
	c.mu.Lock()
	g.add(c)
	sock, rw, _, err := ws.HTTPUpgrader{Timeout: g.cfg.WriteTimeout, Header: header}.Upgrade(r, w)
	if err != nil {
		c.closing, c.end = true, lost
		c.sock = sock
		c.mu.Unlock()
		c.finish()
		return
	}
	c.attach(sock, rw.Reader)
	c.mu.Unlock()
	// In a goroutine of its own, what net/http needed for the request is freed.
	g.running.Go(c.serve)
}

func refuse(w http.ResponseWriter, status int, message gatewayMessage) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(message) // the client may be gone; there is nobody to tell
}
