package wsgateway

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"serverless-websocket/ports"
)

// encode returns the wire format of a text message, fragmented into frames with at
// most FrameLimit bytes of payload.
func (g *Gateway) encode(payload []byte) ([]byte, error) {
	if len(payload) > g.cfg.MessageLimit {
		return nil, fmt.Errorf("payload of %d bytes: %w", len(payload), ports.ErrTooLarge)
	}
	if !utf8.Valid(payload) {
		return nil, errors.New("payload is not UTF-8")
	}
	frames := len(payload)/g.cfg.FrameLimit + 1
	wire := bytes.NewBuffer(make([]byte, 0, len(payload)+frames*ws.MaxHeaderSize))
	opcode := ws.OpText
	for {
		n := min(len(payload), g.cfg.FrameLimit)
		final := n == len(payload)
		ws.MustWriteFrame(wire, ws.NewFrame(opcode, final, payload[:n]))
		if final {
			return wire.Bytes(), nil
		}
		payload, opcode = payload[n:], ws.OpContinuation
	}
}

// encodeClose returns a close frame. For code 1005, which means that there is no
// code and must not be sent, the frame has no body (RFC 6455, 7.4.1).
func encodeClose(code ws.StatusCode, reason string) []byte {
	if code == ws.StatusNoStatusRcvd {
		return ws.CompiledClose
	}
	return ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(code, reason)))
}
