package fanout_test

import (
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
)

func TestAudience(t *testing.T) {
	part, rest := domain.Span{Segment: domain.Segment{Index: 1, Total: 3}}, domain.Span{Cursor: "x"}
	for want, job := range map[string]domain.Job{
		"everyone":                  {To: domain.ToEveryone()},
		"segment 1 of 3":            {To: domain.ToEveryone(), Span: part},
		"everyone from a cursor on": {To: domain.ToEveryone(), Span: rest},
		"2 connections":             {To: domain.ToRoom("goals"), Only: make([]domain.Target, 2)},
		"room:goals":                {To: domain.ToRoom("goals")},
		"room:goals segment 1 of 3": {To: domain.ToRoom("goals"), Span: part},
		"a user":                    {To: domain.ToUser("bob")},
		"a user from a cursor on":   {To: domain.ToUser("bob"), Span: rest},
	} {
		if got := (fanout.Report{Job: job}).Audience(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
