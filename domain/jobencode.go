package domain

import (
	"slices"
	"strings"
)

// Encode returns the job as a queue body, which DecodeJob reads. It may be longer than
// MaxJobBody. Numbers and a reason beyond the limits of the format are cut, and a
// registration that is not Plausible becomes unknown.
func (j Job) Encode() string {
	wire := wireJob{
		Version:  versionForEveryone,
		Messages: make([]wireMessage, 0, len(j.Messages)),
		Segment:  j.Span.Segment.Index,
		Segments: j.Span.Segment.Total,
		Cursor:   j.Span.Cursor,
		Attempt:  min(j.Attempt, maxAttempt),
		Reason:   shortened(j.Reason),
	}
	if j.To != ToEveryone() || slices.ContainsFunc(j.Messages, func(m Message) bool { return m.Sender != "" }) {
		wire.Version, wire.To, wire.Echo = versionOfRecipient, j.To.String(), j.Echo
	}
	if j.Epoch != "" || slices.ContainsFunc(j.Messages, func(m Message) bool { return m.Ref != "" }) {
		wire.Version, wire.To, wire.Echo, wire.Epoch = versionLogged, j.To.String(), j.Echo, j.Epoch
	}
	for _, m := range j.Messages {
		wire.Messages = append(wire.Messages, wireMessage{
			m.ID, m.SentAt.UnixMilli(), m.Sender, m.To, m.Seq, m.Ref, m.Again, string(m.Content),
		})
	}
	for _, t := range j.Only {
		wire.Only = append(wire.Only, wireConnection{t.ID, registration(t), min(t.GoneFor, maxGoneFor).Milliseconds(), t.Rejected})
	}
	return wire.body()
}

// registration returns the time for a body, or 0 if the row's was broken.
func registration(t Target) int64 {
	if !Plausible(t.RegisteredAt) {
		return 0
	}
	return t.RegisteredAt.UnixMilli()
}

// shortened cuts a reason to the limit. An error can quote bytes that are not UTF-8.
func shortened(reason string) string {
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") // part of a character
	}
	return reason
}
