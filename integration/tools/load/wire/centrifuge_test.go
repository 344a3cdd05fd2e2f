package wire

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var published = NewCodec(run, 100, Centrifuge)

// push is a publication, as the library writes it.
func push(data string) string { return `{"push":{"channel":"all","pub":{"data":` + data + `}}}` }

func TestScanOfCentrifuge(t *testing.T) {
	for name, test := range map[string]struct {
		message string
		want    Batch
	}{
		"one":          {push(content(1)), Batch{Frames: 1, Stamps: stamps(1)}},
		"several":      {push(content(1)) + "\n" + push(content(2)) + "\n", Batch{Frames: 1, Stamps: stamps(1, 2)}},
		"of others":    {push(`"flood"`) + "\n" + push(`{"a":1}`) + "\n" + push(content(2)), Batch{Frames: 1, Stamps: stamps(2), Foreign: 2}},
		"more members": {strings.Replace(push(content(1)), "}}}", `,"offset":1}}}`, 1), Batch{Frames: 1, Stamps: stamps(1)}},
		"shorter":      {push(strings.Replace(content(1), "xx", "x", 1)), Batch{Frames: 1, Damaged: 1}},
		"truncated":    {push(content(1))[:90], Batch{Frames: 1, Unreadable: 1}},
		"accepted":     {`{"id":9,"publish":{}}`, Batch{Replies: []Reply{{N: 7, Accepted: true}}}},
		"accepted too": {`{"id":9,"publish":{}}` + "\n" + push(content(7)), Batch{Frames: 1, Stamps: stamps(7), Replies: []Reply{{N: 7, Accepted: true}}}},
		"rejected":     {`{"id":9,"error":{"code":103,"message":"permission denied"}}`, Batch{Replies: []Reply{{N: 7, Code: "103"}}}},
		"no id":        {`{"publish":{}}`, Batch{Unreadable: 1}},
		"of no kind":   {`{"id":9}`, Batch{Unreadable: 1}},
		"ping":         {`{}`, Batch{Unreadable: 1}}, // the server sends none, and no one would answer
	} {
		t.Run(name, func(t *testing.T) {
			var got Batch
			published.Scan(&got, []byte(test.message))
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", test.message, diff)
			}
		})
	}
}

func TestPublishOfCentrifuge(t *testing.T) {
	got := string(published.AppendSend(nil, Stamp{N: 1, Due: 10, Sent: 13}))
	if want := `{"id":3,"publish":{"channel":"all","data":` + content(1) + `}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// A client is connected once the server has said so, and not before.
func TestConnectOfCentrifuge(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		ok     bool
	}{
		"connected":    {`{"id":1,"connect":{"client":"a","subs":{"all":{}}}}`, true},
		"refused":      {`{"id":1,"error":{"code":101,"message":"unauthorized"}}`, false},
		"disconnected": {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan string, 1)
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, nil)
				if err != nil {
					return
				}
				defer c.CloseNow()
				_, request, _ := c.Read(r.Context())
				asked <- string(request)
				if test.answer != "" {
					_ = c.Write(r.Context(), websocket.MessageText, []byte(test.answer))
					_ = c.Write(r.Context(), websocket.MessageText, []byte(push(content(1))))
				}
			})
			d := dialer(t, server.URL, nil)
			d.codec = published
			conn, err := d.Dial(t.Context())
			if got := <-asked; got != `{"id":1,"connect":{}}` || (err == nil) != test.ok {
				t.Fatalf("asked %s, %v", got, err)
			}
			if !test.ok {
				return
			}
			received := 0
			conn.Close(conn.Receive(func(b *Batch) { received += len(b.Stamps) }))
			if received != 1 {
				t.Errorf("%d of what came right behind the answer", received)
			}
		})
	}
}

// A flood continues as long as the server reads, and ends with its context.
func TestFlood(t *testing.T) {
	for protocol, want := range map[Protocol]string{
		Service:    `{"action":"sendMessage","content":"flood","ref":"0"}`,
		Echo:       `{"messages":[{"content":"flood","id":"0"}]}`,
		Centrifuge: `{"id":2,"publish":{"channel":"all","data":"flood"}}`,
	} {
		ctx, end := context.WithTimeout(t.Context(), patience)
		defer end()
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer c.CloseNow()
			for range 2*floodTogether + 1 {
				if _, got, err := c.Read(r.Context()); err != nil || string(got) != want {
					t.Errorf("%s, %v", got, err)
					break
				}
			}
			end()
			_, _, _ = c.Read(r.Context()) // the socket is closed
		})
		d := dialer(t, server.URL, nil)
		conn, err := d.Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		conn.codec = NewCodec(run, 100, protocol)
		conn.Flood(ctx)
		if ctx.Err() != context.Canceled {
			t.Error(ctx.Err())
		}
		conn.Close(nil)
	}
}
