package governor

import (
	"errors"
	"sync"
	"time"

	"serverless-websocket/ports"
)

const (
	// shortest is the minimum time to count posts before the pace is reconsidered: longer
	// than a post takes, so that a step has an effect before the next.
	shortest = 250 * time.Millisecond
	// windowPosts is how many posts are counted, at full pace or any slower one: enough
	// for a storm to show.
	windowPosts = 40
	// stormShare and stormPosts are how many posts of a window must be refused to make it
	// a storm. Posts to a client with a full buffer are refused as well, and are no
	// reason to slow down for the others.
	stormShare = 0.1
	stormPosts = 10
	// slower is the factor by which a storm slows the pace, down to the least share of
	// the full pace.
	slower = 0.7
	least  = 0.02
	// recovery is how long it takes to get from zero back to the full pace.
	recovery = 5 * time.Second
)

func (c *counts) add(err error) {
	c.posts.Add(1)
	if errors.Is(err, ports.ErrThrottled) {
		c.refused.Add(1)
	}
}

// storm resets the counts and reports whether they indicate a storm.
func (c *counts) storm() bool {
	posts, refused := c.posts.Swap(0), c.refused.Swap(0)
	return refused >= stormPosts && float64(refused) >= stormShare*float64(posts)
}

// pace is the rate of posts: full until a storm slows it down by a factor, then rising
// with time.
type pace struct {
	full  float64
	mu    sync.Mutex
	now   float64
	since time.Time // the start of the window
}

// next closes the window if it is over, and returns the pace for the next one if it
// differs. A storm of any size counts once per window.
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

// window is how long posts are counted at the current pace.
func (p *pace) window() time.Duration {
	return max(shortest, time.Duration(windowPosts/p.now*float64(time.Second)))
}
