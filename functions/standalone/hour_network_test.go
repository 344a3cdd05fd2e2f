package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// network is what clients reach the service through, in virtual time. It delays what is
// sent, and can stall and be cut. It is safe for concurrent use.
type network struct {
	mu     sync.Mutex // guards the rest, and what changes in lines
	random *rand.Rand
	door   *door // of the service; nil while there is none
	down   bool
	lines  []*line
	next   func() // called once, with the next bytes
	up     bool   // whether those are from a client
	dials  int    // that reached the service
}

// door is the listener of one run of the service.
type door struct {
	net.Listener // not used
	conns        chan net.Conn
	closed       chan struct{}
	close        func()
}

func newDoor() *door {
	d := &door{conns: make(chan net.Conn), closed: make(chan struct{})}
	d.close = sync.OnceFunc(func() { close(d.closed) })
	return d
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error { d.close(); return nil }
func (*door) Addr() net.Addr { return &net.TCPAddr{} }

// line is one connection. A way knows where it leads.
type line struct {
	network         *network
	name            string   // of the client
	client, service net.Conn // the network's ends
	up, down        way
	ended           chan struct{}
	end             func()
}

// way is one direction of a line.
type way struct {
	stalled time.Time // until then nothing gets through
	left    int       // how many bytes get through before the line is cut
	cut     func()    // how; nil if it is not
}

var errNetwork = errors.New("the network is down")

// dial connects the client of that name with the service.
func (n *network) dial(ctx context.Context, name string) (net.Conn, error) {
	n.mu.Lock()
	d := n.door
	if n.down {
		d = nil
	}
	n.mu.Unlock()
	if d == nil {
		return nil, errNetwork
	}
	client, clientEnd := net.Pipe()
	service, serviceEnd := net.Pipe()
	l := &line{network: n, name: name, client: clientEnd, service: serviceEnd, ended: make(chan struct{})}
	l.end = sync.OnceFunc(func() { close(l.ended) })
	n.mu.Lock()
	n.lines = append(n.lines, l)
	n.dials++
	n.mu.Unlock()
	select {
	case d.conns <- service:
	case <-d.closed:
		l.end()
		return nil, errNetwork
	case <-ctx.Done():
		l.end()
		return nil, ctx.Err()
	}
	go l.pass(&l.up, l.client, l.service)
	go l.pass(&l.down, l.service, l.client)
	return client, nil
}

// pass passes on what is sent one way, in pieces that end anywhere. What cannot be passed
// on is swallowed, as by a host that is gone and has told nobody.
func (l *line) pass(w *way, from, to net.Conn) {
	buffer, open := make([]byte, 4<<10), true
	for {
		n, err := from.Read(buffer[:l.network.number(1, len(buffer))])
		if err != nil {
			if open && !l.isCut() {
				l.end()
				to.Close()
			}
			return
		}
		open = open && l.deliver(w, buffer[:n], to)
	}
}

// deliver writes bytes when they arrive, and reports whether more can.
func (l *line) deliver(w *way, bytes []byte, to net.Conn) bool {
	for wait := l.network.delay(); wait > 0; wait = l.stalledFor(w) {
		select {
		case <-time.After(wait):
		case <-l.ended:
			return false
		}
	}
	fits, cut := l.admit(w, len(bytes))
	_, err := to.Write(bytes[:fits])
	if cut != nil {
		cut()
	}
	return err == nil && cut == nil
}

// admit returns how many of the bytes get through, and how the line is cut behind them; nil
// if it is not.
func (l *line) admit(w *way, bytes int) (fits int, cut func()) {
	n := l.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next != nil && (w == &l.up) == n.up {
		go n.next()
		n.next = nil
	}
	if w.cut == nil {
		return bytes, nil
	}
	fits = min(bytes, w.left)
	w.left -= fits
	if w.left > 0 {
		return fits, nil
	}
	return fits, w.cut
}

// cutAfter cuts the line when so many more bytes have got through.
func (l *line) cutAfter(w *way, bytes int, cut func()) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	w.left, w.cut = bytes, cut
}

// stall lets nothing through for a time.
func (l *line) stall(w *way, d time.Duration) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	w.stalled = time.Now().Add(d)
}

func (l *line) stalledFor(w *way) time.Duration {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	return time.Until(w.stalled)
}

// cutBoth cuts the line for both, at once.
func (l *line) cutBoth() {
	l.end()
	l.client.Close()
	l.service.Close()
}

// cutClient and cutService leave the other side in the belief that the line is open.
func (l *line) cutClient()  { l.end(); l.client.Close() }
func (l *line) cutService() { l.end(); l.service.Close() }

func (l *line) isCut() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// number returns one of the numbers from low to high.
func (n *network) number(low, high int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return low + n.random.IntN(high-low+1)
}

// open returns the lines that are not cut.
func (n *network) open() (open []*line) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lines {
		if !l.isCut() {
			open = append(open, l)
		}
	}
	n.lines = open
	return open
}

// leadTo has clients reach another run of the service, or none.
func (n *network) leadTo(d *door) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.door = d
}

// setDown says whether clients can connect.
func (n *network) setDown(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
}

// onNext calls a function with the next bytes from a client, or for one.
func (n *network) onNext(up bool, do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.up, n.next = up, do
}

// delay is how long bytes are under way: often not long enough for anything else to end.
func (n *network) delay() time.Duration {
	return max(0, time.Duration(n.number(-40, 80))*time.Millisecond)
}

// wait waits for a random time.
func (n *network) wait(least, most time.Duration) {
	time.Sleep(time.Duration(n.number(int(least), int(most))))
}
