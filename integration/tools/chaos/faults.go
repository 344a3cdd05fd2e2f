package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// fault is a way to misbehave.
type fault struct {
	name  string
	start func(*attack)
}

// The faults. Together with the steady clients, their number stays within a process's
// usual open-file limit.
var faults = []fault{
	{"one client sends small messages as fast as it can", func(a *attack) {
		a.flood(1, frame(text, `{"action":"sendMessage","content":"flood"}`), 1000)
	}},
	{"one client sends messages of 100 KiB", func(a *attack) { a.flood(1, largeMessage(), 1) }},
	{"twenty clients send pings", func(a *attack) { a.flood(20, frame(ping, "ping"), 1000) }},
	{"a hundred clients send messages that are refused", func(a *attack) { a.flood(100, frame(text, `{"action":`), 1000) }},
	{"a hundred clients send empty frames of one message", func(a *attack) {
		a.each(100, func(sock net.Conn) { a.write(sock, append(open(), frame(text&^fin, "")...), frame(0, ""), 1000) })
	}},
	{"2,000 clients send halves of messages", func(a *attack) {
		a.each(2000, func(sock net.Conn) {
			a.write(sock, append(open(), frame(text, strings.Repeat("x", 32<<10))[:20<<10]...), nil, 0)
		})
	}},
	{"a thousand sockets send requests and read no answer", func(a *attack) {
		a.eachSocket(1000, func(sock net.Conn) { a.write(sock, nil, []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 1000) })
	}},
	{"a thousand sockets send requests, then shake hands and read nothing", func(a *attack) {
		a.eachSocket(1000, func(sock net.Conn) {
			a.write(sock, bytes.Repeat([]byte("GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"), 1000), open(), 1)
		})
	}},
	{"a thousand sockets send a byte of a request each second", func(a *attack) {
		a.eachSocket(1000, func(sock net.Conn) {
			for _, b := range open() {
				if a.ended(time.Second) || a.send(sock, []byte{b}) != nil {
					return
				}
			}
		})
	}},
	{"five hundred clients read nothing", func(a *attack) {
		a.eachSocket(500, func(sock net.Conn) { a.write(sock, open(), nil, 0) })
	}},
	{"ten clients connect and leave as fast as they can", func(a *attack) {
		for range 10 {
			a.clients.Go(func() {
				for !a.ended(0) {
					a.connectOnce()
				}
			})
		}
	}},
}

// attack is a fault in progress.
type attack struct {
	ctx      context.Context
	address  string
	clients  sync.WaitGroup
	attempts atomic.Int64 // requests, frames or connections
}

// ended waits and reports whether the fault is over.
func (a *attack) ended(wait time.Duration) bool {
	if wait == 0 {
		return a.ctx.Err() != nil
	}
	select {
	case <-a.ctx.Done():
		return true
	case <-time.After(wait):
		return false
	}
}

// flood makes clients send the frame over and over, several per write.
func (a *attack) flood(clients int, frame []byte, together int) {
	a.each(clients, func(sock net.Conn) { a.write(sock, open(), frame, together) })
}

// each opens sockets and reads everything that arrives on them.
func (a *attack) each(n int, use func(net.Conn)) {
	a.eachSocket(n, func(sock net.Conn) {
		go io.Copy(io.Discard, sock) // ends with the socket
		use(sock)
	})
}

// eachSocket opens sockets and keeps them open until the fault is over.
func (a *attack) eachSocket(n int, use func(net.Conn)) {
	for range n {
		a.clients.Go(func() {
			sock, err := new(net.Dialer).DialContext(a.ctx, "tcp", a.address)
			if err != nil {
				return
			}
			defer sock.Close()
			stop := context.AfterFunc(a.ctx, func() { sock.Close() })
			defer stop()
			use(sock)
			<-a.ctx.Done()
		})
	}
}

// write sends the first data once, and then the rest over and over until the socket
// fails.
func (a *attack) write(sock net.Conn, first, again []byte, together int) {
	if a.send(sock, first) != nil || again == nil {
		return
	}
	for all := bytes.Repeat(again, together); a.send(sock, all) == nil; {
		a.attempts.Add(int64(together) - 1)
	}
}

func (a *attack) send(sock net.Conn, all []byte) error {
	a.attempts.Add(1)
	_, err := sock.Write(all)
	return err
}

// connectOnce connects, waits for the answer, and leaves.
func (a *attack) connectOnce() {
	sock, err := new(net.Dialer).DialContext(a.ctx, "tcp", a.address)
	if err != nil {
		return
	}
	defer sock.Close()
	stop := context.AfterFunc(a.ctx, func() { sock.Close() })
	defer stop()
	if a.send(sock, open()) == nil {
		_, _ = sock.Read(make([]byte, 100)) // an end is as good as an answer
	}
}
