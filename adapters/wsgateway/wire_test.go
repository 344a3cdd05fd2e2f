package wsgateway

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func readFrame(from io.Reader) (ws.Frame, error) {
	header, err := ws.ReadHeader(from)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(from, payload)
	return ws.Frame{Header: header, Payload: payload}, err
}

func text(fin bool, payload string) ws.Frame {
	return ws.NewFrame(ws.OpText, fin, []byte(payload))
}

func continuation(fin bool, payload string) ws.Frame {
	return ws.NewFrame(ws.OpContinuation, fin, []byte(payload))
}

func closing(code ws.StatusCode, reason string) ws.Frame {
	return ws.NewCloseFrame(ws.NewCloseFrameBody(code, reason))
}

func letters(n int) string { return strings.Repeat("x", n) }

func roundTrip(t *testing.T, r *http.Request) (int, http.Header, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}
