package fanout

// Workers at once that read new jobs, those that read retries, and the fewest of a
// stage, which leaves as many for parts. Two is the fewest that an event source of
// Lambda can have; serverless.build.js has the same numbers.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	JobWorkers   = 2
	RetryWorkers = 2
	MinWorkers   = JobWorkers + RetryWorkers + 2
)

// RetryShare is how much of the quota the workers that read retries have together.
// A storm of retries takes little from new messages.
const RetryShare = 0.1

// Quota is how many posts a second a stage may make, and how many workers at once
// share them. Fewer than MinWorkers count as that many.
type Quota struct {
	PostsPerSecond float64
	Workers        int
}

// PerWorker returns how many posts a second a worker makes that reads new jobs or
// parts, if all work at once.
func (q Quota) PerWorker() float64 {
	return (1 - RetryShare) * q.PostsPerSecond / float64(JobWorkers+q.PartWorkers())
}

// PerRetryWorker returns how many posts a second a worker makes that reads retries.
func (q Quota) PerRetryWorker() float64 { return RetryShare * q.PostsPerSecond / RetryWorkers }

// PartWorkers returns how many workers read parts.
func (q Quota) PartWorkers() int { return max(q.Workers, MinWorkers) - JobWorkers - RetryWorkers }

// Parts returns into how many parts a job is split: one for each worker that reads
// parts, and one that the worker keeps that splits it.
func (q Quota) Parts() int { return q.PartWorkers() + 1 }
