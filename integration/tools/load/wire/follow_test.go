package wire

import (
	"context"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	client "serverless-websocket/clients/go"
)

// following is what a connection that follows makes of messages, one after the other.
func following(messages ...string) Batch {
	var d desk
	c := NewConn(nil, nil, codec, NewClock())
	c.Follow()
	for _, m := range messages {
		half := len(m) / 2
		for i, part := range []string{m[:half], m[half:]} {
			if err := c.part(&d, []byte(part), i == 1); err != nil {
				panic(err)
			}
		}
	}
	return d.batch
}

func TestFollow(t *testing.T) {
	yes := true
	frame := func(id string) client.Frame {
		m := client.Message{ID: id, Seq: 7, Content: json.RawMessage(`1`)}
		return client.Frame{Messages: []client.Message{m}, Channel: "everyone", Epoch: "k3"}
	}
	messages := func(id string) string {
		return `{"messages":[{"content":1,"id":"` + id + `","seq":7}],"channel":"everyone","epoch":"k3"}`
	}
	for name, test := range map[string]struct {
		got  []string
		want Batch
	}{
		"messages": {[]string{messages("a")}, Batch{Frames: 1, Received: []Received{{Frame: frame("a")}}}},
		"the same again, and another": {
			[]string{messages("a"), messages("a"), messages("b"), messages("a")},
			Batch{Frames: 4, Received: []Received{
				{Frame: frame("a")}, {Frame: frame("a")}, {Frame: frame("b")}, {Frame: frame("a")},
			}},
		},
		"answer": {
			[]string{`{"resumed":{"everyone":{"recovered":true,"position":"k3.8","more":true,"messages":[]}},"ref":"resume"}`},
			Batch{Received: []Received{{Resumed: map[string]client.Answer{
				"everyone": {Recovered: &yes, Position: "k3.8", More: true, Messages: []client.Message{}},
			}}}},
		},
		"refusal": {
			[]string{`{"error":{"code":"no_history","ref":"resume"}}`},
			Batch{Received: []Received{{Refused: "no_history"}}},
		},
		"busy": {
			[]string{`{"error":{"code":"unavailable","retryAfter":3,"ref":"resume"}}`},
			Batch{Received: []Received{{Refused: "unavailable", Wait: 3 * time.Second}}},
		},
		"refusal of a broadcast": {
			[]string{`{"error":{"code":"unavailable","ref":"7"}}`},
			Batch{Replies: []Reply{{N: 7, Code: "unavailable"}}},
		},
		"reply": {
			[]string{`{"accepted":{"id":"a","ref":"7"}}`},
			Batch{Replies: []Reply{{N: 7, Accepted: true}}},
		},
		"no JSON": {[]string{`{"messages":[`, ``}, Batch{Unreadable: 2}},
	} {
		if diff := cmp.Diff(test.want, following(test.got...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestStampOfFollower(t *testing.T) {
	c := NewConn(nil, nil, codec, NewClock())
	var b Batch
	for text, want := range map[string]bool{
		content(3): true, content(3) + " ": true, `"hello"`: false, content(3)[:50] + `"}`: false,
	} {
		s, ok := c.Stamp(&b, []byte(text))
		if ok != want || ok && s != stamps(3)[0] {
			t.Errorf("%s: %+v, %v", text, s, ok)
		}
	}
	if b.Foreign != 1 || b.Damaged != 1 || len(b.Stamps) != 0 {
		t.Errorf("%+v", b)
	}
}

func TestResumeRequest(t *testing.T) {
	overTCP(t, func(t *testing.T, sock, server net.Conn) {
		c := newConn(sock, nil)
		defer c.Close(nil)
		for want, positions := range map[string]map[string]string{
			`{"action":"resume","ref":"resume"}`:                                 nil,
			`{"action":"resume","positions":{"everyone":"k3.8"},"ref":"resume"}`: {"everyone": "k3.8"},
		} {
			if err := c.Resume(context.Background(), positions); err != nil {
				t.Fatal(err)
			}
			frame, err := readFrame(server)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(ws.UnmaskFrameInPlace(frame).Payload); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	})
}

// A cut ends the reading without a close frame.
func TestCut(t *testing.T) {
	overTCP(t, func(t *testing.T, sock, server net.Conn) {
		c := newConn(sock, nil)
		ended := make(chan error)
		go func() { ended <- c.Receive(func(*Batch) {}) }()
		c.Cut()
		c.Close(<-ended)
		if _, err := readFrame(server); err == nil {
			t.Error("the server gets a frame")
		}
	})
}
