package apigwposter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// maxHead and maxBody limit the head and the body of an answer.
	maxHead = 8 << 10
	maxBody = 64 << 10
	// maxJoined is the longest payload that goes out in one write with the head, which
	// saves a TLS record and a system call.
	maxJoined = 8 << 10
	// maxIdle is how long a connection can be idle and still be used: firewalls on the
	// way drop idle connections silently.
	maxIdle = time.Minute
)

// errNotAlone is for an answer that is followed by more data. HTTP/1.1 does not mark
// which answer belongs to which request, so it reveals nothing about this post.
var errNotAlone = errors.New("received more than one answer")

// conn is a connection to the gateway, used by one post at a time.
type conn struct {
	net.Conn         // the socket, or TLS on it
	socket   *socket // what both rest on
	request  []byte  // space that is used again
	unasked  [1]byte
	usedAt   time.Time // zero before the first answer
}

// Close hangs up without a TLS close_notify, which it would have to wait for.
func (c *conn) Close() error { return c.socket.Close() }

// fresh reports whether no post has used the connection yet.
func (c *conn) fresh() bool { return c.usedAt.IsZero() }

// usable reports whether a request can go out now. It uses the wall clock: a Lambda is
// frozen between invocations, and so is its monotonic clock.
func (c *conn) usable(now time.Time) bool {
	idle := now.Round(0).Sub(c.usedAt.Round(0))
	return (c.fresh() || idle.Abs() <= maxIdle) && c.quiet()
}

// quiet reports whether the server has neither closed the connection nor begun to send
// unsolicited data, as far as that shows without waiting. It reads through TLS: what TLS
// sends by itself, such as a session ticket, is not for us, and an answer may be waiting
// in TLS when the socket has no more data.
func (c *conn) quiet() bool {
	c.socket.probing = true
	defer func() { c.socket.probing = false }()
	_, err := c.Read(c.unasked[:])
	return errors.Is(err, os.ErrDeadlineExceeded) && c.socket.whole()
}

// exchange sends the request with the payload and reads the answer. After an error, it is
// unknown whether the gateway got the post, and the connection is unusable.
func (c *conn) exchange(ctx context.Context, payload []byte, r *bufio.Reader) (answer, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	a, err := c.roundTrip(payload, r)
	untouched := stop()
	if err != nil && !untouched {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	a.last = a.last || !untouched
	return a, err
}

func (c *conn) roundTrip(payload []byte, r *bufio.Reader) (answer, error) {
	if err := c.send(payload); err != nil {
		return answer{}, fmt.Errorf("send: %w", err)
	}
	a, err := readAnswer(r)
	if err == nil && a.status/100 != 2 && !c.quiet() {
		err = errNotAlone
	}
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return a, nil
}

func (c *conn) send(payload []byte) error {
	if len(payload) <= maxJoined {
		c.request = append(c.request, payload...)
		payload = nil
	}
	if _, err := c.Write(c.request); err != nil || len(payload) == 0 {
		return err
	}
	_, err := c.Write(payload)
	return err
}

// readAnswer reads an answer. Nothing may follow it.
func readAnswer(r *bufio.Reader) (answer, error) {
	response := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(response)
	if err := response.ReadLimitBody(r, maxBody); err != nil {
		return answer{}, fmt.Errorf("%.200s", err.Error()) // it might quote the whole answer
	}
	if r.Buffered() > 0 {
		return answer{}, errNotAlone
	}
	a := answer{status: response.StatusCode(), last: response.ConnectionClose()}
	if a.status/100 != 2 {
		a.errorType = string(response.Header.Peek("X-Amzn-Errortype"))
		a.requestID = string(response.Header.Peek("X-Amzn-Requestid"))
		a.last = a.last || a.status == fasthttp.StatusSwitchingProtocols
	}
	return a, nil
}
