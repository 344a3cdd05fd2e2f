package apigwposter

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// maxAnswer bounds what is read of an answer, its head included.
	maxAnswer = 64 << 10
	// maxJoined is how long a payload may be to go out in one write with the
	// head, which spares a TLS record and a system call.
	maxJoined = 8 << 10
	// maxIdle is for how long a connection may be idle and is still used:
	// firewalls on the way forget about one without telling.
	maxIdle = time.Minute
	// brieflyIdle is for how long it is used without being looked at first.
	brieflyIdle = time.Second
)

// conn is a connection to the gateway, used by one post at a time.
type conn struct {
	socket  net.Conn
	stream  io.ReadWriter    // the socket, or TLS on it
	limit   io.LimitedReader // on stream, renewed with each answer
	reader  *bufio.Reader    // on limit
	request []byte           // space that is used again
	usedAt  time.Time
	broken  bool // takes no further request
}

func newConn(socket net.Conn, stream io.ReadWriter) *conn {
	c := &conn{socket: socket, stream: stream, limit: io.LimitedReader{R: stream}}
	c.reader = bufio.NewReaderSize(&c.limit, 2<<10)
	return c
}

// stale reports whether the connection is better not used any more. It goes by
// the wall clock: a Lambda is frozen between its invocations.
func (c *conn) stale() bool {
	idle := time.Now().Round(0).Sub(c.usedAt.Round(0))
	return idle > maxIdle || idle > brieflyIdle && c.hungUp()
}

// exchange sends the request with the payload and reads the answer. An error
// leaves open whether the gateway has got the post.
func (c *conn) exchange(ctx context.Context, payload []byte) (answer, error) {
	c.broken = true
	stop := context.AfterFunc(ctx, func() { _ = c.socket.Close() })
	a, err := c.roundTrip(payload)
	untouched := stop()
	if err == nil {
		c.broken = a.last || !untouched || c.reader.Buffered() > 0
		return a, nil
	}
	if !untouched {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return answer{}, err
}

func (c *conn) roundTrip(payload []byte) (answer, error) {
	if err := c.send(payload); err != nil {
		return answer{}, fmt.Errorf("send: %w", err)
	}
	c.limit.N = maxAnswer
	a, err := readAnswer(c.reader)
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
	if _, err := c.stream.Write(c.request); err != nil || len(payload) == 0 {
		return err
	}
	_, err := c.stream.Write(payload)
	return err
}

// readAnswer reads a whole answer, so that the next one can follow.
func readAnswer(r *bufio.Reader) (answer, error) {
	response, err := http.ReadResponse(r, nil)
	for err == nil && response.StatusCode < http.StatusOK { // such as 100 Continue
		response, err = http.ReadResponse(r, nil)
	}
	if err != nil {
		return answer{}, err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return answer{}, err
	}
	return answer{
		status:    response.StatusCode,
		errorType: response.Header.Get("X-Amzn-Errortype"),
		requestID: response.Header.Get("X-Amzn-Requestid"),
		last:      response.Close,
	}, nil
}
