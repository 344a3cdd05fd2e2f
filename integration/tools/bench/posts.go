package main

import (
	"fmt"
	"io"
	"strings"

	"serverless-websocket/integration/tools/stats"
)

// payloadSize is the size of a short chat message in its envelope, in bytes.
const payloadSize = 300

// postResults are the results of the contenders against one endpoint, in order.
type postResults struct {
	endpoint endpoint
	medians  []median
}

// median is the median of a contender's rounds.
type median struct {
	name string
	sample
}

// comparePosts measures the contenders in turn, round by round, so that other load on the
// machine affects all of them alike.
func comparePosts(progress io.Writer, size sizes, http2 bool) (postResults, error) {
	e, server, err := startEndpoint(http2)
	if err != nil {
		return postResults{}, err
	}
	defer server.stop()
	all := contenders(http2)
	samples := make([][]sample, len(all))
	for round := range size.rounds {
		for i, c := range all {
			s, err := measureInChild(orders{e, i, size.inFlight, size.warmUp, size.long})
			if err != nil {
				return postResults{}, fmt.Errorf("%s: %w", c.name, err)
			}
			samples[i] = append(samples[i], s)
			fmt.Fprintf(progress, "%s, round %d of %d: %-50s %s\n", e.offer(), round+1, size.rounds, c.name, s)
		}
	}
	results := postResults{endpoint: e}
	for i, c := range all {
		results.medians = append(results.medians, median{c.name, medianOf(samples[i])})
	}
	return results, nil
}

// medianOf takes the median of each value separately.
func medianOf(samples []sample) sample {
	return sample{
		CPU:  stats.Median(samples, func(s sample) float64 { return s.CPU }),
		Rate: stats.Median(samples, func(s sample) float64 { return s.Rate }),
	}
}

// named returns the median of the contender with that name prefix that took the least
// CPU.
func (r postResults) named(prefix string) sample {
	best := sample{}
	for _, m := range r.medians {
		if strings.HasPrefix(m.name, prefix) && (best.CPU == 0 || m.CPU < best.CPU) {
			best = m.sample
		}
	}
	return best
}
