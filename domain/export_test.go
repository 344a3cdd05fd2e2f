package domain

// The limits of a job's format, for tests.
const (
	MaxAttempt = maxAttempt
	MaxReason  = maxReason
	MaxGoneFor = maxGoneFor
)

// Shortened cuts a reason as Encode does.
func Shortened(reason string) string { return shortened(reason) }
