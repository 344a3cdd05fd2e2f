package client

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

// socket is a WebSocket, or what stands in for one in tests.
type socket interface {
	Read(context.Context) ([]byte, error)
	Write(context.Context, []byte) error
	Close()
}

// webSocket is a socket of the service.
type webSocket struct{ *websocket.Conn }

const (
	maxFrame = 32 << 10  // that the service takes
	maxRead  = 256 << 10 // above anything that it sends
)

func (c *Client) dialWebSocket(ctx context.Context, token string) (socket, error) {
	options := &websocket.DialOptions{HTTPClient: c.HTTPClient, HTTPHeader: http.Header{}}
	if token != "" {
		options.HTTPHeader.Set("Authorization", "Bearer "+token)
	}
	conn, response, err := websocket.Dial(ctx, c.URL, options)
	if err != nil {
		if response != nil {
			err = &refusedHandshake{response.StatusCode, err}
		}
		return nil, err
	}
	conn.SetReadLimit(maxRead)
	return webSocket{conn}, nil
}

// Read returns the next message.
func (s webSocket) Read(ctx context.Context) ([]byte, error) {
	_, text, err := s.Conn.Read(ctx)
	return text, err
}

// Write sends a message, in frames that are not too large.
func (s webSocket) Write(ctx context.Context, text []byte) error {
	w, err := s.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for len(text) > 0 {
		n := min(len(text), maxFrame)
		if _, err := w.Write(text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return w.Close()
}

// Close says goodbye and closes the socket.
func (s webSocket) Close() { _ = s.Conn.Close(websocket.StatusNormalClosure, "") }
