package governor

import (
	"errors"
	"sync"
	"time"

	"serverless-websocket/ports"
)

const (
	// shortest is for how long posts are counted at least before the pace is
	// reconsidered: longer than a post takes, so that a step is felt before the next.
	shortest = 250 * time.Millisecond
	// windowPosts is how many posts are counted, at full and at any slower pace:
	// enough for a storm to show.
	windowPosts = 40
	// stormShare and stormPosts are how many posts of a window must be refused
	// for it to be a storm. A client with a full buffer is refused as well, and
	// is no reason to slow down for the others.
	stormShare = 0.1
	stormPosts = 10
	// slower is what a storm multiplies the pace with, down to the least share
	// of the full pace.
	slower = 0.7
	least  = 0.02
	// recovery is how long the way back from nothing to the full pace takes.
	recovery = 5 * time.Second
)

func (c *counts) add(err error) {
	c.posts.Add(1)
	if errors.Is(err, ports.ErrThrottled) {
		c.refused.Add(1)
	}
}

// storm empties the counts and reports whether they tell of one.
func (c *counts) storm() bool {
	posts, refused := c.posts.Swap(0), c.refused.Swap(0)
	return refused >= stormPosts && float64(refused) >= stormShare*float64(posts)
}

// pace is how many posts a second are let through: at full pace until a storm
// slows it down by a factor, and from then on faster with time.
type pace struct {
	full  float64
	mu    sync.Mutex
	now   float64
	since time.Time // the begin of the window
}

// next closes the window if that is over, and returns the pace for the next one
// if it is another. A storm of any size counts once for each window.
func (p *pace) next(recent *counts, at time.Time) (perSecond float64, storm, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := at.Sub(p.since)
	if elapsed < 0 { // the clock was set back
		p.since = at
	}
	if elapsed < p.window() {
		return p.now, false, false
	}
	p.since = at
	before := p.now
	if storm = recent.storm(); storm {
		p.now = max(p.now*slower, p.full*least)
	} else {
		p.now = min(p.now+p.full*elapsed.Seconds()/recovery.Seconds(), p.full)
	}
	return p.now, storm, p.now != before
}

// window is how long posts are counted at the present pace.
func (p *pace) window() time.Duration {
	return max(shortest, time.Duration(windowPosts/p.now*float64(time.Second)))
}
