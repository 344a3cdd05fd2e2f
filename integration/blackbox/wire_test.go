package blackbox

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire is what clients connect through. It can be cut.
type wire struct {
	url  string
	cuts int

	mu      sync.Mutex // also held while it stalls
	address string     // of the service
	pairs   map[net.Conn]net.Conn
}

// newWire returns a wire to the service at a URL, which ends with the test.
func newWire(t *testing.T, url string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{url: "ws://" + listener.Addr().String(), pairs: map[net.Conn]net.Conn{}}
	w.leadTo(url)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.connect(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		w.cut(0, func() bool { return true })
		running.Wait()
	})
	return w
}

// leadTo has new connections lead to the service at a URL.
func (w *wire) leadTo(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.address = strings.TrimPrefix(url, "ws://")
}

// connect passes on what is sent, in both directions.
func (w *wire) connect(client net.Conn) {
	w.mu.Lock()
	address := w.address
	w.mu.Unlock()
	service, err := net.Dial("tcp", address)
	if err != nil {
		client.Close()
		return
	}
	w.mu.Lock()
	w.pairs[client] = service
	w.mu.Unlock()
	var both sync.WaitGroup
	for to, from := range map[net.Conn]net.Conn{client: service, service: client} {
		both.Go(func() {
			w.pass(to, from)
			client.Close()
			service.Close()
		})
	}
	both.Wait()
	w.mu.Lock()
	delete(w.pairs, client)
	w.mu.Unlock()
}

func (w *wire) pass(to io.Writer, from io.Reader) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock() // wait while it stalls
		_, err = to.Write(buffer[:n])
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// cut ends the connections that are chosen, after a pause in which all stall.
func (w *wire) cut(pause time.Duration, chosen func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	time.Sleep(pause)
	for client, service := range w.pairs {
		if chosen() {
			w.cuts++
			client.Close()
			service.Close()
		}
	}
}

// disturb stalls all connections for a while and cuts some of them.
func (w *wire) disturb(random *rand.Rand) {
	w.cut(time.Duration(random.IntN(400))*time.Millisecond, func() bool { return random.IntN(2) == 0 })
}
