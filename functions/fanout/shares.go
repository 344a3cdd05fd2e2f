package main

const (
	// queueWorkers is how many workers each of two queues has, that of new jobs and
	// that of retries. The others are for parts. As in serverless.build.js.
	queueWorkers = 2
	// fewestWorkers leaves as many for parts.
	fewestWorkers = 3 * queueWorkers
	// retryPart is how much of the stage's posts a second retries get, so that a
	// storm of them takes little from new messages.
	retryPart = 0.1
)

// shares is what one worker may do, if all work at once.
type shares struct {
	// perSecond is how many posts a second it makes when it reads new jobs or parts,
	// retriesPerSecond to connections that failed before.
	perSecond, retriesPerSecond float64
	// parts is into how many a job is split: the worker that splits it keeps one, and
	// each worker for parts takes one.
	parts int
}

// sharesOf divides the stage's posts a second among so many workers.
func sharesOf(postsPerSecond, workers int) shares {
	workers = max(workers, fewestWorkers)
	return shares{
		perSecond:        (1 - retryPart) * float64(postsPerSecond) / float64(workers-queueWorkers),
		retriesPerSecond: retryPart * float64(postsPerSecond) / queueWorkers,
		parts:            workers - 2*queueWorkers + 1,
	}
}
