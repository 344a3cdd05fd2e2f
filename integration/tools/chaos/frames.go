package main

import (
	"encoding/binary"
	"strings"
)

// The first byte of a frame (RFC 6455, 5.2).
const (
	fin  = 0x80
	text = fin | 1
	ping = fin | 9
)

// open is a handshake.
func open() []byte {
	return []byte("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
}

// frame is a frame with a zero mask, which leaves the payload unchanged.
func frame(first byte, payload string) []byte {
	const masked = 0x80
	wire := []byte{first}
	switch n := len(payload); {
	case n < 126:
		wire = append(wire, masked|byte(n))
	case n < 1<<16:
		wire = binary.BigEndian.AppendUint16(append(wire, masked|126), uint16(n))
	default:
		wire = binary.BigEndian.AppendUint64(append(wire, masked|127), uint64(n))
	}
	return append(append(wire, 0, 0, 0, 0), payload...)
}

// largeMessage is a message of 100 KiB in frames of 25.
func largeMessage() (wire []byte) {
	const part = 25 << 10
	message := `{"action":"sendMessage","content":"`
	message += strings.Repeat("x", 4*part-len(message)-len(`"}`)) + `"}`
	for i := range 4 {
		first := byte(0)
		if i == 0 {
			first = text &^ fin
		}
		if i == 3 {
			first |= fin
		}
		wire = append(wire, frame(first, message[i*part:(i+1)*part])...)
	}
	return wire
}
