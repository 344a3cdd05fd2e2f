package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// PosterHarness is a poster and the gateway behind it.
type PosterHarness struct {
	Poster ports.Poster
	// Open opens a connection until the case t is over. recv waits for the next message
	// on it, and fails t if none arrives for a long time; it is called from the test's
	// goroutine.
	Open func(t *testing.T) (id domain.ConnectionID, recv func() []byte)
	// Closed is the id of a connection that was once open, Unknown a well-formed id of a
	// connection that never existed.
	Closed, Unknown domain.ConnectionID
	// Malformed is an id that the gateway rejects, or empty if the gateway does not check
	// the form of ids.
	Malformed domain.ConnectionID
	// Denied is a poster to the same gateway without permission to post, or nil if
	// everyone has permission.
	Denied ports.Poster
	// OpenDeaf opens a connection until the case t is over whose client reads nothing. It
	// is nil if the gateway does not throttle such a client after maxBacklog bytes.
	OpenDeaf func(t *testing.T) domain.ConnectionID
}

// maxBacklog is how many bytes the gateway and the operating system can buffer for a
// client that reads nothing.
const maxBacklog = 64 << 20

// TestPoster checks that the adapter fulfills the contract of ports.Poster. newHarness
// makes a fresh harness for the case t, which also cleans it up.
func TestPoster(t *testing.T, newHarness func(t *testing.T) PosterHarness) {
	for name, run := range map[string]func(*posterCase){
		"payloads pass unchanged":    (*posterCase).exact,
		"longest payload":            (*posterCase).longest,
		"too large":                  (*posterCase).tooLarge,
		"closed connection":          (*posterCase).closed,
		"unknown connection":         (*posterCase).unknown,
		"nobody":                     (*posterCase).nobody,
		"malformed id":               (*posterCase).malformed,
		"no permission":              (*posterCase).denied,
		"gone does not stick":        (*posterCase).goneAmongOthers,
		"order":                      (*posterCase).order,
		"one post, many connections": (*posterCase).concurrent,
		"many posts, one connection": (*posterCase).concurrentToOne,
		"cancelled context":          (*posterCase).cancelled,
		"deaf client":                (*posterCase).deaf,
		"closing":                    (*posterCase).closing,
	} {
		t.Run(name, func(t *testing.T) {
			harness := newHarness(t)
			ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
			defer cancel()
			run(&posterCase{t, harness, ctx})
		})
	}
}

type posterCase struct {
	*testing.T
	PosterHarness
	ctx context.Context
}

func (c *posterCase) prepare(payload []byte) ports.Post {
	c.Helper()
	post, err := c.Poster.Prepare(payload)
	if err != nil {
		c.Fatalf("Prepare of %d bytes: %v", len(payload), err)
	}
	return post
}

func (c *posterCase) expect(recv func() []byte, want []byte) {
	c.Helper()
	if got := recv(); string(got) != string(want) {
		c.Fatalf("client got %d bytes %.80q, want %d bytes %.80q", len(got), got, len(want), want)
	}
}

func (c *posterCase) expectError(err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Fatalf("got error %v, want %v", err, want)
	}
}

func (c *posterCase) exact() {
	id, recv := c.Open(c.T)
	for _, text := range []string{
		"x",
		`{"messages":[{"content":"서버리스 웹소켓 API 테스트"}]}`,
		"👩‍👩‍👧‍👦 🇰🇷 \u2028 <&> \\u003c",
		" \t\r\n spaces stay \n",
		"a\x00b\x7f",
	} {
		if err := c.prepare([]byte(text))(c.ctx, id); err != nil {
			c.Fatalf("post of %q: %v", text, err)
		}
		c.expect(recv, []byte(text))
	}
}

// longest uses a payload in which parts in the wrong order would show.
func (c *posterCase) longest() {
	id, recv := c.Open(c.T)
	for _, size := range []int{domain.MaxPayload - 1, domain.MaxPayload} {
		payload := ramp(size)
		if err := c.prepare(payload)(c.ctx, id); err != nil {
			c.Fatalf("post of %d bytes: %v", size, err)
		}
		c.expect(recv, payload)
	}
}

// ramp returns a payload in which no two parts are alike.
func ramp(size int) []byte {
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "%d,", b.Len())
	}
	return []byte(b.String()[:size])
}

func (c *posterCase) tooLarge() {
	_, err := c.Poster.Prepare(make([]byte, domain.MaxPayload+1))
	c.expectError(err, ports.ErrTooLarge)
}

func (c *posterCase) closed() {
	c.expectError(c.prepare([]byte("hello"))(c.ctx, c.Closed), ports.ErrGone)
}

// closing closes one of two connections, once.
func (c *posterCase) closing() {
	id, _ := c.Open(c.T)
	other, recv := c.Open(c.T)
	closing := c.Poster.Closing()
	if err := closing(c.ctx, id); err != nil {
		c.Fatalf("closing: %v", err)
	}
	for _, gone := range []domain.ConnectionID{id, c.Closed, c.Unknown} {
		c.expectError(closing(c.ctx, gone), ports.ErrGone)
		c.expectError(c.prepare([]byte("hello"))(c.ctx, gone), ports.ErrGone)
	}
	if err := c.prepare([]byte("hello"))(c.ctx, other); err != nil {
		c.Fatalf("post to another connection: %v", err)
	}
	c.expect(recv, []byte("hello"))
	if c.Denied != nil {
		c.expectError(c.Denied.Closing()(c.ctx, other), ports.ErrRejected)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	c.expectError(closing(ctx, other), ports.ErrNotSent)
}

func (c *posterCase) unknown() {
	c.expectError(c.prepare([]byte("hello"))(c.ctx, c.Unknown), ports.ErrGone)
}

func (c *posterCase) nobody() {
	c.expectError(c.prepare([]byte("hello"))(c.ctx, ports.Nobody), ports.ErrGone)
}

// malformed has an id rejected for its own sake, which says nothing about others.
func (c *posterCase) malformed() {
	if c.Malformed == "" {
		return // as declared
	}
	id, recv := c.Open(c.T)
	post := c.prepare([]byte("hello"))
	c.expectError(post(c.ctx, c.Malformed), ports.ErrRejected)
	c.expectError(post(c.ctx, ports.Nobody), ports.ErrGone)
	if err := post(c.ctx, id); err != nil {
		c.Fatalf("post after one that was rejected: %v", err)
	}
	c.expect(recv, []byte("hello"))
}

// denied has every post rejected, whatever the connection.
func (c *posterCase) denied() {
	if c.Denied == nil {
		return // as declared
	}
	post, err := c.Denied.Prepare([]byte("hello"))
	if err != nil {
		c.Fatal(err)
	}
	open, _ := c.Open(c.T)
	for _, id := range []domain.ConnectionID{open, c.Closed, c.Unknown, ports.Nobody} {
		c.expectError(post(c.ctx, id), ports.ErrRejected)
	}
}

func (c *posterCase) goneAmongOthers() {
	id, recv := c.Open(c.T)
	post := c.prepare([]byte("hello"))
	c.expectError(post(c.ctx, c.Closed), ports.ErrGone)
	if err := post(c.ctx, id); err != nil {
		c.Fatalf("post after one that found its connection gone: %v", err)
	}
	c.expect(recv, []byte("hello"))
}

func (c *posterCase) order() {
	id, recv := c.Open(c.T)
	const posts = 100
	for i := range posts {
		if err := c.prepare(fmt.Append(nil, i))(c.ctx, id); err != nil {
			c.Fatalf("post %d: %v", i, err)
		}
	}
	for i := range posts {
		c.expect(recv, fmt.Append(nil, i))
	}
}

func (c *posterCase) concurrent() {
	const connections = 50
	ids := make([]domain.ConnectionID, connections)
	recvs := make([]func() []byte, connections)
	for i := range connections {
		ids[i], recvs[i] = c.Open(c.T)
	}
	payload := ramp(100_000)
	post := c.prepare(payload)
	c.together(connections, func(i int) error { return post(c.ctx, ids[i]) })
	for _, recv := range recvs {
		c.expect(recv, payload)
	}
}

// concurrentToOne posts messages of two frames each, which must not be mixed up.
func (c *posterCase) concurrentToOne() {
	id, recv := c.Open(c.T)
	var want []string
	var posts []ports.Post
	for _, letter := range "abcdef" {
		text := strings.Repeat(string(letter), 33_000)
		want = append(want, text)
		posts = append(posts, c.prepare([]byte(text)))
	}
	c.together(len(posts), func(i int) error { return posts[i](c.ctx, id) })
	var got []string
	for range posts {
		got = append(got, string(recv()))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		c.Fatal("messages were mixed up, lost or duplicated")
	}
}

func (c *posterCase) together(n int, do func(int) error) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if err := do(i); err != nil {
				c.Errorf("post %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

func (c *posterCase) cancelled() {
	id, recv := c.Open(c.T)
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	err := c.prepare([]byte("late"))(ctx, id)
	c.expectError(err, context.Canceled)
	c.expectError(err, ports.ErrNotSent)
	if err := c.prepare([]byte("next"))(c.ctx, id); err != nil {
		c.Fatalf("post after a cancelled one: %v", err)
	}
	c.expect(recv, []byte("next"))
}

// deaf fills one client's buffer: that client is throttled, and no other.
func (c *posterCase) deaf() {
	if c.OpenDeaf == nil {
		return // as declared
	}
	deaf := c.OpenDeaf(c.T)
	id, recv := c.Open(c.T)
	payload := ramp(domain.MaxPayload)
	post := c.prepare(payload)
	c.expectError(c.fill(post, deaf), ports.ErrThrottled)
	for range 10 {
		if err := post(c.ctx, id); err != nil {
			c.Fatalf("post to a client that reads, while another does not: %v", err)
		}
		c.expect(recv, payload)
	}
	c.expectError(post(c.ctx, deaf), ports.ErrThrottled)
}

// fill posts until a post fails.
func (c *posterCase) fill(post ports.Post, id domain.ConnectionID) error {
	for range maxBacklog / domain.MaxPayload {
		if err := post(c.ctx, id); err != nil {
			return err
		}
	}
	return nil
}
