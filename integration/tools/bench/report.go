package main

import (
	"fmt"
	"io"
	"time"

	"serverless-websocket/integration/tools/stats"
)

// results are all measurements.
type results struct {
	inFlight   int
	posts      []postResults // HTTP/1.1 alone, and HTTP/2 as well
	coalescing coalescingResults
	engine     engineResults
	channels   channelResults
	identity   identityResults
	disk       diskResults
	durable    durableResults
}

func (r results) write(w io.Writer) {
	fmt.Fprintln(w, stats.Machine())
	fmt.Fprintf(w, "Posts of %d bytes, %d in flight, to a TLS endpoint on this machine that answers after %v.\n", payloadSize, r.inFlight, latency)
	for _, p := range r.posts {
		p.write(w)
	}
	r.coalescing.write(w)
	r.engine.write(w)
	r.channels.write(w)
	r.identity.write(w)
	r.disk.write(w)
	r.durable.write(w)
	r.writeTargets(w)
}

func (p postResults) write(w io.Writer) {
	own := p.named(project)
	var rows [][]string
	for _, m := range p.medians {
		rows = append(rows, []string{
			m.name, fmt.Sprintf("%.1f µs", m.CPU), fmt.Sprintf("%.1f×", m.CPU/own.CPU),
			fmt.Sprintf("%.0f", m.Rate), fmt.Sprintf("%.2f×", m.Rate/own.Rate),
		})
	}
	stats.Table(w, []string{"endpoint with " + p.endpoint.offer(), "CPU a post", "of ours", "posts/s", "of ours"}, rows)
}

func (c coalescingResults) write(w io.Writer) {
	row := func(name string, d delivery) []string {
		return []string{name, fmt.Sprint(d.posts), d.took.Round(time.Millisecond).String()}
	}
	stats.Table(w, []string{fmt.Sprintf("%d messages to %d connections", c.messages, c.connections), "posts", "time"},
		[][]string{row("each in a pass of its own", c.oneByOne), row("together in one pass", c.together)})
}

func (e engineResults) write(w io.Writer) {
	stats.Table(w, []string{fmt.Sprintf("the engine alone, a pass over %d rows", e.rows), ""}, [][]string{
		{"rows a second", fmt.Sprintf("%.0f", e.perSecond)},
		{"allocations a post, the store's left out", fmt.Sprintf("%.2f", e.allocs)},
		{"heap in use at the peak, the store's pages included", fmt.Sprintf("%.1f MB", megabytes(e.inUse))},
		{"the same with 5 % gone and 5 % throttled", fmt.Sprintf("%.1f MB", megabytes(e.hardInUse))},
		{"more memory from the system, in both passes", fmt.Sprintf("%.1f MB", megabytes(e.sys))},
	})
}

func (c channelResults) write(w io.Writer) {
	row := func(name string, posts int, took time.Duration) []string {
		return []string{name, fmt.Sprint(posts), took.Round(100 * time.Nanosecond).String(), fmt.Sprintf("1/%.0f", float64(c.everyone)/float64(took))}
	}
	stats.Table(w, []string{fmt.Sprintf("the engine alone, a message among %d connections", c.connections), "posts", "time", "of a broadcast"},
		[][]string{row("to everyone", c.connections, c.everyone), row("to a room of ten", roomMembers, c.room), row("to a user", userConnections, c.toOne)})
}

func (i identityResults) write(w io.Writer) {
	row := func(name string, rate float64) []string {
		return []string{name, fmt.Sprintf("%.0f", rate), fmt.Sprintf("%.2f×", rate/i.none)}
	}
	stats.Table(w, []string{"connects to a gateway in the process of its clients", "a second", "of those without"},
		[][]string{row("without tokens", i.none), row("with tokens, HS256", i.hs256), row("with tokens, ES256", i.es256)})
}

func (d diskResults) write(w io.Writer) {
	stats.Table(w, []string{"messages accepted and logged", "a second", "of those in memory", "syncs a message"},
		append(d.alone.rows("one sender"), d.together.rows(fmt.Sprint(publishers, " senders"))...))
}

func (d durableResults) write(w io.Writer) {
	row := func(name string, p pair) []string {
		return []string{name, shown(p.memory), shown(p.disk), fmt.Sprintf("%.2f×", float64(p.disk)/float64(p.memory)), fmt.Sprintf("%+.2f", d.syncs(p))}
	}
	stats.Table(w, []string{fmt.Sprintf("the service, %d clients over sockets", d.clients), "in memory", "on disk", "", "in syncs of " + shown(d.sync)},
		[][]string{row(fmt.Sprintf("a burst of %d broadcasts, from the first frame to the last delivery", burst), d.bursts),
			row("a paced broadcast, until all have it", d.paced)})
}

func shown(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// writeTargets compares the results with the project's targets.
func (r results) writeTargets(w io.Writer) {
	var rows [][]string
	for _, t := range r.targets() {
		met := "yes"
		if !t.met {
			met = "NO"
		}
		rows = append(rows, []string{t.name, t.measured, met})
	}
	stats.Table(w, []string{"target", "measured", "met"}, rows)
}

type goal struct {
	name, measured string
	met            bool
}

func (r results) targets() []goal {
	atLeast := func(name string, least, got float64) goal {
		return goal{name, fmt.Sprintf("%.1f×", got), got >= least}
	}
	atMost := func(name, format string, most, got float64) goal {
		return goal{name, fmt.Sprintf(format, got), got <= most}
	}
	var all []goal
	for _, p := range r.posts {
		all = append(all, atLeast("CPU a post: tuned SDK client at least 4× ours, "+p.endpoint.offer(), 4,
			p.named(tuned).CPU/p.named(project).CPU))
	}
	one, c, e := r.posts[0], r.coalescing, r.engine
	return append(all,
		atLeast("CPU a post: SDK client with its defaults at least 12× ours, HTTP/1.1", 12, one.named(withDefaults).CPU/one.named(project).CPU),
		atLeast("posts a second: at least 2.5× those of the tuned SDK client, HTTP/1.1", 2.5, one.named(project).Rate/one.named(tuned).Rate),
		atLeast("coalescing: at least 50× fewer posts", 50, float64(c.oneByOne.posts)/float64(c.together.posts)),
		atLeast("coalescing: at least 20× faster", 20, c.oneByOne.took.Seconds()/c.together.took.Seconds()),
		atMost("memory of a pass: under 64 MB", "%.1f MB", 64, megabytes(max(e.inUse, e.hardInUse, e.sys))),
		atMost("allocations a post in the engine: at most 3", "%.2f", 3, e.allocs),
		goal{"connects with HS256: at least 0.8 of those without tokens", fmt.Sprintf("%.2f×", r.identity.hs256/r.identity.none),
			r.identity.hs256 >= 0.8*r.identity.none},
		atMost(fmt.Sprintf("a burst of %d broadcasts on disk: at most 1.5× as long as in memory", burst), "%.2f×", 1.5, r.durable.slower()),
		atMost("a paced broadcast on disk: at most one sync longer than in memory", "%.2f", 1, r.durable.syncs(r.durable.paced)),
	)
}

func megabytes(bytes uint64) float64 { return float64(bytes) / 1e6 }
