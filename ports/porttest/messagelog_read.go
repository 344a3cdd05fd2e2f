package porttest

import (
	"errors"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func (c *logCase) empty() {
	log := c.open()
	c.holds(log, goals, "", nil)
	c.append(log, chess, c.messages(1)...)
	c.holds(log, goals, "", nil)
	c.refuses(log, goals, domain.Position{}, ports.ErrReset)
	c.refuses(log, goals, domain.Position{Epoch: "abc", Seq: 1}, ports.ErrReset)
	c.refuses(log, goals, domain.NothingSince(c.now, "another"), ports.ErrReset)
	s, err := log.Before(c.ctx, goals, domain.Position{Epoch: "abc", Seq: 7}, 5, 1<<30)
	if err != nil || len(s.Messages) > 0 || s.More {
		c.Errorf("Before: %+v, %v", s, err)
	}
}

// afterEach reads from each position, in pages of one message, of several and of all.
func (c *logCase) afterEach() {
	log := c.open()
	all, epoch := c.fill(log, goals, 25)
	for _, size := range []int{-1, 0, 1, 10, 11, 20, 35, 249, 250, 1000} {
		for i, m := range all {
			from := domain.Position{Epoch: epoch, Seq: m.Seq}
			c.same(c.after(log, goals, from, size), all[i+1:])
			s, err := log.After(c.ctx, goals, from, size)
			if n, read := len(s.Messages), size/10; err != nil || n > max(read, 0)+1 || n < min(read, len(all)-i-1) {
				c.Errorf("After %q: %d messages of 10 bytes for %d, %v", from, n, size, err)
			}
			if want := i+1+len(s.Messages) < len(all); s.More != want {
				c.Errorf("After %q and %d messages, more: %v", from, len(s.Messages), s.More)
			}
		}
	}
}

func (c *logCase) beforeEach() {
	log := c.open()
	all, epoch := c.fill(log, goals, 25)
	for _, limit := range []int{1, 2, 3, 7, 24, 25, 26, 1000} {
		c.same(c.before(log, goals, domain.Position{}, limit), all)
		for i, m := range all {
			from := domain.Position{Epoch: epoch, Seq: m.Seq}
			c.same(c.before(log, goals, from, limit), all[:i])
			s, err := log.Before(c.ctx, goals, from, limit, 1<<30)
			if want := i > limit; err != nil || len(s.Messages) != min(i, limit) || s.More != want {
				c.Errorf("Before %q: %d of %d messages, more: %v, %v", from, len(s.Messages), limit, s.More, err)
			}
		}
	}
}

// beforeSized reads back messages of ten bytes by their size.
func (c *logCase) beforeSized() {
	log := c.open()
	all, epoch := c.fill(log, goals, 25)
	for size, want := range map[int]int{-1: 1, 0: 1, 9: 1, 19: 1, 20: 2, 35: 3, 239: 23, 240: 24, 250: 25, 1000: 25} {
		s, err := log.Before(c.ctx, goals, domain.Position{}, 100, size)
		if err != nil || s.More != (want < 25) {
			c.Errorf("Before the end, %d bytes: more: %v, %v", size, s.More, err)
		}
		c.same(s.Messages, all[25-want:])
		s, err = log.Before(c.ctx, goals, domain.Position{Epoch: epoch, Seq: 3}, 100, size)
		if err != nil || s.More != (want < 2) {
			c.Errorf("Before the third, %d bytes: more: %v, %v", size, s.More, err)
		}
		c.same(s.Messages, all[2-min(want, 2):2])
	}
}

// strange asks for positions of another epoch and beyond the end.
func (c *logCase) strange() {
	log := c.open()
	all, epoch := c.fill(log, goals, 7)
	last := all[6].Seq
	for _, p := range []domain.Position{
		{Epoch: epoch, Seq: last + 1}, {Epoch: epoch, Seq: last + 1000}, {Epoch: epoch, Seq: domain.MaxSeq},
		{Epoch: "another", Seq: 1}, {Epoch: "another", Seq: 3}, {Epoch: "another", Seq: last}, {Epoch: "another", Seq: last + 1},
		domain.NothingSince(c.now, "another"), {},
	} {
		c.refuses(log, goals, p, ports.ErrReset)
	}
	for _, p := range []domain.Position{
		{Epoch: epoch, Seq: last + 2}, {Epoch: epoch, Seq: domain.MaxSeq}, {Epoch: epoch, Seq: 1},
		{Epoch: "another", Seq: 1}, {Epoch: "another", Seq: 3}, {Epoch: "another", Seq: last}, {Epoch: "another", Seq: last + 1},
		domain.NothingSince(c.now, "another"),
	} {
		if s, err := log.Before(c.ctx, goals, p, 5, 1<<30); err != nil || len(s.Messages) > 0 || s.More {
			c.Errorf("Before %q: %+v, %v", p, s, err)
		}
	}
}

// place goes on from a place without messages.
func (c *logCase) place() {
	log := c.open()
	place, err := log.End(c.ctx, goals)
	if err != nil {
		c.Fatal(err)
	}
	c.append(log, chess, c.messages(1)...)
	s, err := log.After(c.ctx, goals, place, 1000)
	if _, _, nothing := s.Position.Nothing(); err != nil || len(s.Messages) > 0 || s.More || !nothing {
		c.Errorf("After a place without messages: %+v, %v", s, err)
	}
	all, _ := c.fill(log, goals, 5)
	for _, from := range []domain.Position{place, s.Position} {
		c.same(c.after(c.open(), goals, from, 20), all)
	}
	c.pass(retention + 2*time.Second)
	c.refuses(log, goals, place, ports.ErrExpired)
	c.append(log, goals, c.messages(1)...)
	c.refuses(c.open(), goals, place, ports.ErrExpired)
}

// expired lets the first of several messages expire.
func (c *logCase) expired() {
	log := c.open()
	old, epoch := c.append(log, goals, c.messages(3)...)
	c.pass(retention / 2)
	kept, _ := c.fill(log, goals, 6)
	c.holds(log, goals, epoch, append(old, kept...))
	c.pass(retention/2 + 2*time.Second)
	for _, log := range []ports.MessageLog{log, c.open()} {
		c.holds(log, goals, epoch, kept)
		for _, m := range old[:2] {
			c.refuses(log, goals, domain.Position{Epoch: epoch, Seq: m.Seq}, ports.ErrExpired)
		}
		// Nothing is missing after the last of the expired, which not every log knows.
		s, err := log.After(c.ctx, goals, domain.Position{Epoch: epoch, Seq: old[2].Seq}, 1000)
		if err == nil {
			c.same(s.Messages, kept)
		} else if !errors.Is(err, ports.ErrExpired) {
			c.Errorf("After the last of the expired: %v", err)
		}
		c.same(c.after(log, goals, domain.Position{Epoch: epoch, Seq: kept[0].Seq}, 1000), kept[1:])
		c.same(c.before(log, goals, domain.Position{Epoch: epoch, Seq: kept[2].Seq}, 1), kept[:2])
		c.same(c.before(log, goals, domain.Position{Epoch: epoch, Seq: old[1].Seq}, 1), nil)
	}
	some, again := c.append(log, goals, c.messages(1)...)
	if again != epoch {
		c.Errorf("the epoch is %s, was %s", again, epoch)
	}
	c.holds(log, goals, epoch, append(kept, some...))
}

// renewed has a message that was sent long ago.
func (c *logCase) renewed() {
	log, messages := c.open(), c.messages(1)
	c.pass(2 * retention)
	all, epoch := c.append(log, goals, messages...)
	c.pass(retention - 5*time.Second)
	c.holds(log, goals, epoch, all)
}

// allExpired goes on in another epoch, twice, also with messages that were in the log.
func (c *logCase) allExpired() {
	log := c.open()
	var old []domain.Position
	var messages []domain.Message
	for range 3 {
		entries, err := c.open().Append(c.ctx, goals, unnumbered(messages), true)
		if err != nil {
			c.Fatal(err)
		}
		fresh, epoch := c.fill(log, goals, 5)
		all := append(numbered(messages, positions(entries)), fresh...)
		for _, p := range old {
			if p.Epoch == epoch {
				c.Fatalf("the epoch %s comes back", epoch)
			}
			c.refuses(log, goals, p, ports.ErrReset, ports.ErrExpired)
		}
		c.holds(c.open(), goals, epoch, all)
		c.pass(retention + 2*time.Second)
		for _, log := range []ports.MessageLog{log, c.open()} {
			c.holds(log, goals, "", nil)
			for _, m := range all[:len(all)-1] {
				c.refuses(log, goals, domain.Position{Epoch: epoch, Seq: m.Seq}, ports.ErrReset, ports.ErrExpired)
			}
		}
		for _, m := range all[:len(all)-1] { // a log can know what follows the last
			old = append(old, domain.Position{Epoch: epoch, Seq: m.Seq})
		}
		messages = all[len(all)-2:]
	}
}
