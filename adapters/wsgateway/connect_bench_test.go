package wsgateway

import (
	"net"
	"testing"
)

// BenchmarkConnect measures a handshake over loopback, including the client's side.
func BenchmarkConnect(b *testing.B) {
	g, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	l, err := g.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go g.Serve(l)
	answer := make([]byte, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Write([]byte(validHead)); err != nil {
			b.Fatal(err)
		}
		if n, err := c.Read(answer); err != nil || string(answer[:12]) != "HTTP/1.1 101" {
			b.Fatalf("%q: %v", answer[:n], err)
		}
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	l.Close()
	if err := g.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}
