package domain

// The limits of a job's format, for tests.
const (
	MaxSeen    = maxSeen
	MaxAttempt = maxAttempt
	MaxReason  = maxReason
	MaxGoneFor = maxGoneFor
)

// Shortened cuts a reason as Encode does.
func Shortened(reason string) string { return shortened(reason) }
