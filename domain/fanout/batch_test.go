package fanout

import (
	"testing"

	"serverless-websocket/domain"
)

// Separators in ids must not make two groups one.
func TestAudiencesThatLookAlike(t *testing.T) {
	named := func(ids ...domain.ConnectionID) (job domain.Job) {
		for _, id := range ids {
			job.Only = append(job.Only, domain.Target{ID: id})
		}
		return job
	}
	for _, pair := range [][2]domain.Job{
		{named("a\nb"), named("a", "b")},
		{named("a:b"), named("a", "b")},
		{named("a1:b"), named("a", "b")},
		{named("4aaaa5bbbbb"), named("1", "aaaa", "bbbbb")},
	} {
		if keyOf(pair[0]) == keyOf(pair[1]) {
			t.Errorf("a job for %+v would coalesce with one for %+v", pair[0].Only, pair[1].Only)
		}
	}
}

func TestJobsForOtherRecipientsDoNotCoalesce(t *testing.T) {
	room := domain.Recipients{Kind: domain.Room, Name: "goals"}
	jobs := []received{
		{job: domain.Job{To: domain.ToEveryone()}},
		{job: domain.Job{To: room}},
		{job: domain.Job{To: domain.Recipients{Kind: domain.User, Name: "goals"}}},
		{job: domain.Job{To: room}},
	}
	if got := coalesce(jobs); len(got) != 3 {
		t.Errorf("%d batches, want 3: %+v", len(got), got)
	}
}
