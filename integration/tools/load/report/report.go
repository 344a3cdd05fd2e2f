// Package report presents the measurements of the load generator as text, JSON, CSV, and
// a page with charts.
//
// The fields of Report are those of the JSON. Unless stated otherwise, durations are in
// milliseconds and numbers cover the whole run.
package report

import (
	"strings"
	"time"
)

// Report is one run.
type Report struct {
	Settings    Settings    `json:"settings"`
	Started     time.Time   `json:"started"`
	Interrupted bool        `json:"interrupted"` // Ctrl-C ended it before its time
	Failure     string      `json:"failure"`     // why the run is incomplete; empty if it is complete
	Connections Connections `json:"connections"`
	Broadcasts  Broadcasts  `json:"broadcasts"`
	Deliveries  Deliveries  `json:"deliveries"`

	// Latency of deliveries, from just before the broadcast was written (fromSend), or
	// from when it was due (fromSchedule), until its receiver had read it. A service that
	// keeps the sender waiting shows only in the latter. Slow readers are in neither, but
	// have their own, from the schedule.
	FromSend     Latency `json:"latencyFromSend"`
	FromSchedule Latency `json:"latencyFromSchedule"`
	SlowReaders  Latency `json:"latencySlowReaders"`

	Generator Generator `json:"generator"`
	Server    *Server   `json:"server,omitempty"` // if it was watched
	Ramp      *Ramp     `json:"ramp,omitempty"`   // in that scenario alone
	Resume    *Resume   `json:"resume,omitempty"` // likewise
	Seconds   []Second  `json:"seconds"`
}

// Settings are the requested settings, without the values of query parameters in the URL.
type Settings struct {
	URL         string  `json:"url"`
	Scenario    string  `json:"scenario"`
	Clients     int     `json:"clients"`
	Senders     int     `json:"senders"`    // of the clients
	Broadcasts  int     `json:"broadcasts"` // 0 in a ramp
	Rate        float64 `json:"rate"`       // broadcasts a second; 0 for as fast as accepted
	Size        int     `json:"size"`       // bytes of each content
	Outstanding int     `json:"outstanding,omitempty"`
	// Details are the settings of the scenario, in words.
	Details string `json:"details,omitempty"`
}

// Connections describes how the clients connected.
type Connections struct {
	Connected  int            `json:"connected"`  // clients, before sending began
	Seconds    float64        `json:"seconds"`    // that it took
	Refused    map[string]int `json:"refused"`    // attempts, by reason
	Reconnects int            `json:"reconnects"` // connections after a client's first
	Closed     map[string]int `json:"closed"`     // connections that the client did not end, by close code or reason
}

// Broadcasts describes the sending. Sent is the sum of accepted, rejected and unanswered.
type Broadcasts struct {
	Scheduled  int            `json:"scheduled"`
	Sent       int            `json:"sent"`
	Accepted   int            `json:"accepted"`
	Rejected   map[string]int `json:"rejected"` // by code
	Unanswered int            `json:"unanswered"`
	NotSent    int            `json:"notSent"` // scheduled, but the connection took no more, or Ctrl-C came
	Seconds    float64        `json:"seconds"` // from the first one to the last delivery
}

// Deliveries describes what arrived.
type Deliveries struct {
	Delivered int     `json:"delivered"` // broadcasts, once for each connection
	PerSecond float64 `json:"perSecond"` // in the seconds of Broadcasts
	ToSlow    int     `json:"toSlowReaders"`
	// Lost counts accepted broadcasts missing on a connection that was open from before
	// the sending until the end of the drain or, if the client left of its own accord,
	// until a grace period after the broadcast was accepted.
	Lost       int `json:"lost"`
	Duplicated int `json:"duplicated"` // came to a connection that had them
	OutOfOrder int `json:"outOfOrder"` // came after a later one of the same sender, though sent when the client had connected
	// MissedAway are accepted broadcasts that a client did not get since it had
	// left, and MissedCut those that it did not get because its connection ended
	// without the client wanting it.
	MissedAway int `json:"missedAway"`
	MissedCut  int `json:"missedCut"`
	Foreign    int `json:"foreign"`    // messages of others
	Damaged    int `json:"damaged"`    // not as they were sent; not counted as delivered
	Unreadable int `json:"unreadable"` // frames of no known kind
	Frames     int `json:"frames"`     // messages; several broadcasts can share one
	Bytes      int `json:"bytes"`      // received, with frame headers; after TLS
}

// Latency is a distribution.
type Latency struct {
	Count  int     `json:"count"`
	Mean   Millis  `json:"mean"`
	P50    Millis  `json:"p50"`
	P90    Millis  `json:"p90"`
	P99    Millis  `json:"p99"`
	P999   Millis  `json:"p999"`
	Max    Millis  `json:"max"`
	Points []Point `json:"points"`
}

// Millis is a duration in milliseconds.
type Millis float64

// Point is a percentile: the share of deliveries that took at most this long.
type Point struct {
	Percent float64 `json:"percent"`
	Latency Millis  `json:"latency"`
}

// Generator is what the load generator itself used from the first broadcast to the end of
// the drain.
type Generator struct {
	UserSeconds   float64 `json:"userSeconds"`
	SystemSeconds float64 `json:"systemSeconds"`
	// PerDelivery is user and system CPU per delivery, in microseconds.
	PerDelivery float64 `json:"microsecondsPerDelivery"`
	Cores       int     `json:"cores"` // that it may use
	Go          string  `json:"go"`
	System      string  `json:"system"`
}

// Server is what the server process used.
type Server struct {
	CPUSeconds float64 `json:"cpuSeconds"` // from the first broadcast to the end of the drain
	// PerDelivery is that for each delivery, in microseconds.
	PerDelivery    float64 `json:"microsecondsPerDelivery"`
	BytesAtRest    int64   `json:"bytesAtRest"`    // resident, before the clients connected
	BytesConnected int64   `json:"bytesConnected"` // with all clients connected, before the first broadcast
	// BytesPerConnection is what that is more, for each client.
	BytesPerConnection float64 `json:"bytesPerConnection"`
}

// Ramp is the result of a ramp.
type Ramp struct {
	Bound Millis `json:"p99Bound"`
	Steps []Step `json:"steps"`
	// LastRate is the highest that held, in broadcasts a second; 0 for none.
	LastRate float64 `json:"lastRate"`
}

// Step is one step of a ramp.
type Step struct {
	Rate       float64 `json:"rate"`
	Broadcasts int     `json:"broadcasts"`
	// P99 is from the schedule. It is 0 if more than one delivery in a hundred had not
	// arrived within the bound after the step.
	P99  Millis `json:"p99"`
	Held bool   `json:"held"`
}

// Resume is what came of the cuts. In this scenario, what a client hands on counts as
// delivered, whether it came live or by a resume. It is lost if the client did not hand it
// on although it was sent after the client had its first position, and duplicated if the
// client handed it on twice.
type Resume struct {
	Cuts      int            `json:"cuts"`      // connections
	Resumes   int            `json:"resumes"`   // after a reconnect, up to the last answer
	Recovered int            `json:"recovered"` // deliveries that came by a resume alone; they have no latency
	ToldLost  int            `json:"toldLost"`  // times the service said that messages were lost
	Gaps      int            `json:"gaps"`      // times that messages were missing on a connection, and it resumed
	Waits     int            `json:"waits"`     // times the service was busy, and the client waited as it was told
	Refused   map[string]int `json:"refused"`   // by code
	Latency   Latency        `json:"latency"`   // of Resumes, from the request to the last answer
}

// Second is what happened in an interval, usually a second.
type Second struct {
	From      float64 `json:"from"` // seconds since sending began
	To        float64 `json:"to"`
	Connected int     `json:"connected"` // at its end
	Sent      int     `json:"sent"`
	Accepted  int     `json:"accepted"`
	Rejected  int     `json:"rejected"`
	Delivered int     `json:"delivered"`
	Bytes     int     `json:"bytes"`
	// Of the deliveries in the interval, from the schedule.
	P50 Millis `json:"p50"`
	P99 Millis `json:"p99"`
	Max Millis `json:"max"`
}

// Length is how many seconds it took.
func (s Second) Length() float64 { return s.To - s.From }

// Refusals is how many attempts to connect were refused.
func (c Connections) Refusals() int { return sum(c.Refused) }

// Rejections is how many broadcasts were rejected.
func (b Broadcasts) Rejections() int { return sum(b.Rejected) }

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// NeverArrived is the percentage of due deliveries that did not arrive for any reason:
// lost, missed after a cut, rejected, unanswered or not sent. Due is every scheduled
// broadcast (or, after an interruption, every sent one) at every client that was
// connected when sending began, except those that clients missed after leaving. It is
// somewhat too low if clients come and go: deliveries on two connections count twice.
func (r Report) NeverArrived() (percent float64) {
	broadcasts := r.Broadcasts.Scheduled
	if r.Interrupted {
		broadcasts = r.Broadcasts.Sent
	}
	due := broadcasts*r.Connections.Connected - r.Deliveries.MissedAway
	if due <= r.Deliveries.Delivered {
		return 0
	}
	return 100 * float64(due-r.Deliveries.Delivered) / float64(due)
}

// Verdict is the outcome in a few sentences.
func (r Report) Verdict() string {
	var said []string
	if r.Interrupted {
		said = append(said, "Interrupted before the end.")
	}
	switch lost := r.Deliveries.Lost; {
	case lost == 1:
		said = append(said, "1 delivery was lost.")
	case lost > 1:
		said = append(said, number(lost)+" deliveries were lost.")
	case r.Failure == "":
		said = append(said, "Nothing was lost.")
	}
	if r.Failure != "" {
		said = append(said, "Incomplete: "+r.Failure+".")
	}
	return strings.Join(said, " ")
}
