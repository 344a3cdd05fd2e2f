package fanout

// JobWorkers, ChannelWorkers and RetryWorkers are the concurrent workers for new jobs for
// everyone, for jobs for users and rooms, and for retries, and MinWorkers the fewest of a
// stage: Lambda has at least two for each event source, and parts have the fourth.
// serverless.build.js has the same numbers.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	JobWorkers     = 2
	ChannelWorkers = 2
	RetryWorkers   = 2
	MinWorkers     = JobWorkers + ChannelWorkers + RetryWorkers + 2
)

// RetryShare is the share of the quota that the workers of retries have together. It
// keeps a storm of retries from slowing new messages.
const RetryShare = 0.1

// Quota is how many posts a second a stage may make, and how many concurrent workers
// share them. Fewer than MinWorkers count as MinWorkers.
type Quota struct {
	PostsPerSecond float64
	Workers        int
	// ChannelShare is the share, above zero, of the workers of jobs for users and rooms,
	// which so never wait for broadcasts.
	ChannelShare float64
}

// PerWorker returns the posts a second of each worker of new jobs or parts, when all
// work at once.
func (q Quota) PerWorker() float64 {
	return (1 - RetryShare - q.ChannelShare) * q.PostsPerSecond / float64(JobWorkers+q.PartWorkers())
}

// PerChannelWorker returns the posts a second of each worker of jobs for users and rooms.
func (q Quota) PerChannelWorker() float64 { return q.ChannelShare * q.PostsPerSecond / ChannelWorkers }

// PerRetryWorker returns the posts a second of each worker of retries.
func (q Quota) PerRetryWorker() float64 { return RetryShare * q.PostsPerSecond / RetryWorkers }

// PartWorkers returns the number of workers of parts.
func (q Quota) PartWorkers() int {
	return max(q.Workers, MinWorkers) - JobWorkers - ChannelWorkers - RetryWorkers
}

// Parts returns the number of parts that a job is split into: one for each worker of
// parts, and one that the worker that splits it keeps.
func (q Quota) Parts() int { return q.PartWorkers() + 1 }
