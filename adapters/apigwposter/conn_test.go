package apigwposter

import (
	"bufio"
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
	t.Cleanup(func() { drain(poster.conns) })
	post, err := poster.Prepare([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	return s, poster, post
}

// drain closes the idle connections, which ends the server's side of them.
func drain(p *pool) {
	for len(p.idle) > 0 {
		p.discard(<-p.idle)
	}
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
	for name, tc := range map[string]struct {
		answer string
		hangUp bool
		fails  bool
		conns  int64 // that three posts take
	}{
		"length":            {answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", conns: 1},
		"empty":             {answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", conns: 1},
		"no content":        {answer: "HTTP/1.1 204 No Content\r\n\r\n", conns: 1},
		"chunked":           {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", conns: 1},
		"continue before":   {answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", conns: 1},
		"refusal":           {answer: "HTTP/1.1 429 No\r\nContent-Length: 2\r\n\r\nno", fails: true, conns: 1},
		"connection: close": {answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", conns: 3},
		"to the end":        {answer: "HTTP/1.1 200 OK\r\n\r\nok", hangUp: true, conns: 3},
		"HTTP/1.0":          {answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", conns: 3},
		"more than asked":   {answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok HTTP/1.1 200 OK", conns: 3},
		"cut off":           {answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", hangUp: true, fails: true, conns: 3},
		"not HTTP":          {answer: "+OK hello\r\n\r\n", fails: true, conns: 3},
		"endless head":      {answer: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", maxAnswer), fails: true, conns: 3},
		"endless body":      {answer: "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", maxAnswer), fails: true, conns: 3},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, post := newScripted(t, tc.answer, tc.hangUp)
			for range 3 {
				if err := post(t.Context(), "a"); (err != nil) != tc.fails {
					t.Errorf("got %v", err)
				}
			}
			if n := s.accepted.Load(); n != tc.conns {
				t.Errorf("3 posts took %d connections, want %d", n, tc.conns)
			}
		})
	}
}

// TestHungUpWhileIdle has a server that closes the connection between posts.
func TestHungUpWhileIdle(t *testing.T) {
	s, poster, post := newScripted(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true)
	for i := range 3 {
		if err := post(t.Context(), "a"); err != nil {
			t.Fatalf("post %d: %v", i, err)
		}
		c := <-poster.conns.idle
		for deadline := time.Now().Add(10 * time.Second); !c.hungUp(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the server's end was not noticed")
			}
		}
		c.usedAt = time.Now().Add(-2 * brieflyIdle)
		poster.conns.idle <- c
	}
	if n := s.accepted.Load(); n != 3 {
		t.Errorf("3 posts took %d connections", n)
	}
}

// TestQuietConnectionIsKept is the reverse of the one above.
func TestQuietConnectionIsKept(t *testing.T) {
	s, poster, post := newScripted(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false)
	for range 3 {
		if err := post(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		c := <-poster.conns.idle
		c.usedAt = time.Now().Add(-2 * brieflyIdle)
		poster.conns.idle <- c
	}
	if n := s.accepted.Load(); n != 1 {
		t.Errorf("3 posts took %d connections", n)
	}
}

func TestEndpointsToWhichNothingCanBePosted(t *testing.T) {
	for _, endpoint := range []string{"", "abc.execute-api.amazonaws.com/dev", "ftp://example.com", "https:///dev", "https://a b", "https://a:b"} {
		if _, err := New(aws.Config{}, endpoint, Options{}).Prepare([]byte("x")); err == nil {
			t.Errorf("no error for %q", endpoint)
		}
	}
}

// FuzzReadAnswer looks for answers that crash the reader, or that it reads on
// for ever.
func FuzzReadAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	f.Add("HTTP/1.1 410 Gone\r\nX-Amzn-ErrorType: GoneException\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n")
	f.Fuzz(func(t *testing.T, sent string) {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(sent)))
		if err == nil && a.status < 200 {
			t.Errorf("took %d for an answer", a.status)
		}
		_ = fmt.Sprint(a.err())
	})
}
