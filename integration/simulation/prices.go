package simulation

// AWS list prices in US dollars for us-east-1, as of 2026-11-22. The first is from
// https://aws.amazon.com/api-gateway/pricing/; those marked are from memory. Check them
// before you base a decision on them.
const (
	pricePerPost         = 1.00 / 1e6   // a WebSocket message of up to 32 KB
	pricePerInvocation   = 0.20 / 1e6   // Lambda; from memory
	pricePerGBSecond     = 0.0000133334 // Lambda on arm64; from memory
	pricePerQueueRequest = 0.40 / 1e6   // SQS standard; from memory
	pricePerReadUnit     = 0.125 / 1e6  // DynamoDB on demand; from memory
	rowBytes             = 150          // of the connection table
	readUnitBytes        = 4 << 10      // a strongly consistent read
	rowsPerPage          = (1 << 20) / rowBytes
)

// bill is what a broadcast used.
type bill struct {
	posts, invocations, queueRequests, rows int
	gigabyteSeconds                         float64
}

// dollars adds it up at list prices. Refused posts are not billed.
func (b bill) dollars() float64 {
	return float64(b.posts)*pricePerPost +
		float64(b.invocations)*pricePerInvocation +
		b.gigabyteSeconds*pricePerGBSecond +
		float64(b.queueRequests)*pricePerQueueRequest +
		float64(b.rows)*rowBytes/readUnitBytes*pricePerReadUnit
}
