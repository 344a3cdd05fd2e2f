package apigwposter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"serverless-websocket/ports"
)

// scripted is a server that answers each request with the same bytes.
type scripted struct {
	net.Listener
	answer   string
	hangUp   bool // after each answer
	accepted atomic.Int64
}

// newScripted returns the server and a way to post to it.
func newScripted(t *testing.T, answer string, hangUp bool) (*scripted, *Poster, ports.Post) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &scripted{Listener: listener, answer: answer, hangUp: hangUp}
	go s.serve()
	poster := New(aws.Config{
		Region:      "ap-northeast-2",
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	}, "http://"+listener.Addr().String()+"/dev", Options{Timeout: 10 * time.Second, InFlight: 1})
	t.Cleanup(poster.conns.CloseIdleConnections) // ends the server's side of them
	post, err := poster.Prepare([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	return s, poster, post
}

func (s *scripted) serve() {
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		s.accepted.Add(1)
		go s.converse(c)
	}
}

func (s *scripted) converse(c net.Conn) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(c, s.answer)
		if s.hangUp {
			return
		}
	}
}

func TestAnswersOnTheWire(t *testing.T) {
	const (
		ok      = "HTTP/1.1 200 OK\r\n"
		maxHead = 8 << 10
		maxBody = 64 << 10
	)
	body := strings.Repeat("x", maxBody)
	for name, tc := range map[string]struct {
		answer string
		hangUp bool
		fails  bool
		conns  int64 // used by three posts
	}{
		"length":             {answer: ok + "Content-Length: 2\r\n\r\nok", conns: 1},
		"empty":              {answer: ok + "Content-Length: 0\r\n\r\n", conns: 1},
		"no content":         {answer: "HTTP/1.1 204 No Content\r\n\r\n", conns: 1},
		"chunked":            {answer: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", conns: 1},
		"continue before":    {answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n", conns: 1},
		"hints before":       {answer: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n", conns: 1},
		"other protocol":     {answer: "HTTP/1.1 101 Switching Protocols\r\n\r\n", fails: true, conns: 3},
		"refusal":            {answer: "HTTP/1.1 429 No\r\nContent-Length: 2\r\n\r\nno", fails: true, conns: 1},
		"not modified":       {answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", fails: true, conns: 1},
		"connection: close":  {answer: ok + "Connection: close\r\nContent-Length: 2\r\n\r\nok", conns: 3},
		"to the end":         {answer: ok + "\r\nok", hangUp: true, conns: 3},
		"HTTP/1.0":           {answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", conns: 3},
		"more than asked":    {answer: ok + "Content-Length: 2\r\n\r\nok HTTP/1.1 200 OK", fails: true, conns: 3},
		"two answers":        {answer: strings.Repeat(ok+"Content-Length: 0\r\n\r\n", 2), fails: true, conns: 3},
		"content after all":  {answer: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", fails: true, conns: 3},
		"modified after all": {answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", fails: true, conns: 3},
		"cut off":            {answer: ok + "Content-Length: 3\r\n\r\nok", hangUp: true, fails: true, conns: 3},
		"not HTTP":           {answer: "+OK hello\r\n\r\n", fails: true, conns: 3},
		"longest head":       {answer: headOf(maxHead), conns: 1},
		"longer head":        {answer: headOf(maxHead + 1), fails: true, conns: 3},
		"longest body":       {answer: fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", ok, maxBody, body), conns: 1},
		"longer body":        {answer: fmt.Sprintf("%sContent-Length: %d\r\n\r\n%sx", ok, maxBody+1, body), fails: true, conns: 3},
		"longer in chunks":   {answer: fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n1\r\nx\r\n0\r\n\r\n", ok, maxBody, body), fails: true, conns: 3},
		"longer to the end":  {answer: ok + "\r\n" + body + "x", hangUp: true, fails: true, conns: 3},
		"hints without end":  {answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 10_000), fails: true, conns: 3},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, post := newScripted(t, tc.answer, tc.hangUp)
			for range 3 {
				if err := post(t.Context(), "a"); (err != nil) != tc.fails {
					t.Errorf("got %v", err)
				} else if err != nil && (len(err.Error()) > 500 || errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("no plain error: %v", err)
				}
			}
			if n := s.accepted.Load(); n != tc.conns {
				t.Errorf("3 posts took %d connections, want %d", n, tc.conns)
			}
		})
	}
}

// headOf returns an answer that is a head of so many bytes.
func headOf(size int) string {
	const first, last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ", "\r\n\r\n"
	return first + strings.Repeat("x", size-len(first)-len(last)) + last
}

func TestEndpointsToWhichNothingCanBePosted(t *testing.T) {
	for _, endpoint := range []string{"", "abc.execute-api.amazonaws.com/dev", "ftp://example.com", "https:///dev", "https://a b", "https://a:b"} {
		if _, err := New(aws.Config{}, endpoint, Options{}).Prepare([]byte("x")); err == nil {
			t.Errorf("no error for %q", endpoint)
		}
	}
}

// FuzzReadAnswer looks for answers that crash the reader or make it read forever.
func FuzzReadAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	f.Add("HTTP/1.1 410 Gone\r\nX-Amzn-ErrorType: GoneException\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n")
	f.Fuzz(func(t *testing.T, sent string) {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(sent)))
		if err == nil && a.status < 200 && !a.last {
			t.Errorf("took %d for an answer", a.status)
		}
		_ = fmt.Sprint(a.err())
	})
}
