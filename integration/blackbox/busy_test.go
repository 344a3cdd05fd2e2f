package blackbox

import (
	"fmt"
	"testing"
	"time"
)

// A user in 50 rooms, each with a large message, resumes over and over until the service has
// read as much as it will. Then others resume, all at once, while a message is sent.
func TestStandaloneTellsACrowdToWait(t *testing.T) {
	const rooms, crowd, missed = 50, 20, 5
	tg := startStandalone(t, "-history-days", "1", "-auth", "jwt", "-jwt-secret", jwtSecret).target
	sender, hoarder := signIn(t, tg, token(t, "sender", nil)), signIn(t, tg, token(t, "hoarder", nil))
	start := positions{everyoneChannel: sender.resume(nil)[everyoneChannel].Position}
	for range missed {
		sender.broadcast(`"missed"`)
	}
	from := hoarder.stuff(t, tg, rooms)
	hoarder.tire(from)

	var all []*client
	for i := range crowd {
		all = append(all, signIn(t, tg, token(t, fmt.Sprint("user", i), nil)))
	}
	for _, c := range all {
		c.sendResume(start)
	}
	sender.broadcast(`"live"`)
	due := make(map[*client]time.Time)
	for _, c := range all {
		if reply := c.parsedReply(); reply.Error != nil {
			due[c] = time.Now().Add(c.wantToldToWait(reply))
		} else {
			wantMissed(t, reply, missed)
		}
	}
	for c, at := range due {
		time.Sleep(time.Until(at))
		c.sendResume(start)
		wantMissed(t, c.answered(start), missed)
	}
	for _, c := range append(all, sender, hoarder) {
		if _, err := c.until(`"live"`); err != nil {
			t.Errorf("the message that was sent meanwhile: %v", err)
		}
	}
	hoarder.sendResume(from)
	if reply := hoarder.answered(from); len(reply.Resumed) < rooms {
		t.Errorf("the one that has caused it gets %.200s", reply.text)
	}
}

// stuff joins rooms that have a large message each, from a client of its own, which is not
// taken for a flood. It returns the positions before these messages.
func (c *client) stuff(t *testing.T, tg *target, rooms int) positions {
	from, large := make(positions), quoted(90<<10)
	for i := range rooms {
		room := fmt.Sprint("large", i)
		from["room:"+room] = c.join(room)
		other := signIn(t, tg, token(t, "other", nil))
		other.join(room)
		other.tellLarge(fmt.Sprintf(`"room":%q`, room), large)
		other.ws.CloseNow()
	}
	return from
}

func (c *client) sendResume(from positions) {
	c.send(`{"action":"resume","positions":` + from.String() + `,"ref":"r"}`)
}

// tire resumes until the service is busy. Each time 50 times 90 KiB are read, a quarter of
// what may be read in a second.
func (c *client) tire(from positions) {
	c.t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		c.sendResume(from)
		if reply := c.parsedReply(); reply.Error != nil {
			c.wantToldToWait(reply)
			return
		}
	}
	c.t.Fatal("the service reads as much as is asked for")
}

// wantToldToWait returns for how long.
func (c *client) wantToldToWait(f rawFrame) time.Duration {
	c.t.Helper()
	if e := f.Error; e == nil || e.Code != "unavailable" || e.Ref != "r" || e.RetryAfter < 1 || e.RetryAfter > 90 {
		c.t.Fatalf("got %.500s, want to be told to wait", f.text)
	}
	return time.Duration(f.Error.RetryAfter) * time.Second
}

// answered returns the answer to a resume that was sent. When the client is told to wait it
// does so, on the same connection.
func (c *client) answered(from positions) rawFrame {
	c.t.Helper()
	for range 10 { // others can have all turns when it comes
		reply := c.parsedReply()
		if reply.Error == nil {
			return reply
		}
		time.Sleep(c.wantToldToWait(reply))
		c.sendResume(from)
	}
	c.t.Fatal("it is told to wait for ever")
	return rawFrame{}
}

// wantMissed checks that an answer has the messages, each once.
func wantMissed(t *testing.T, reply rawFrame, missed int) {
	t.Helper()
	a := reply.Resumed[everyoneChannel]
	if a.Recovered == nil || !*a.Recovered || a.More || len(a.Messages) < missed {
		t.Fatalf("got %+v", a)
	}
	for i, m := range a.Messages[:missed] {
		if m.Seq != int64(i+1) || string(m.Content) != `"missed"` {
			t.Errorf("message %d is %d: %s", i+1, m.Seq, m.Content)
		}
	}
}
