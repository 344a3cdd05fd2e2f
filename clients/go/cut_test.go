package client_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	client "serverless-websocket/clients/go"
)

// A connection that ends within a frame is not taken for one whose frames make no sense.
func TestAConnectionThatEndsWithinAFrame(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() { served <- beginAFrame(listener) }()
	told := make(chan error, 100)
	run(t, client.Options{URL: "ws://" + listener.Addr().String(), OnError: func(err error) { told <- err }})
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-told:
		if !strings.Contains(err.Error(), "unexpected end of JSON input") {
			t.Errorf("told %v", err)
		}
	case <-time.After(patience):
		t.Error("told nothing")
	}
}

// beginAFrame accepts a connection, and closes it behind the head of a frame.
func beginAFrame(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n\x81\x05", base64.StdEncoding.EncodeToString(sum[:])); err != nil {
		return err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, conn) // with unread data, the end would be a reset
	return nil
}
