package lambdaevent_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// appends is a log that notes whether the last append may have been made before.
type appends struct {
	*messageLog
	again bool
}

func (l *appends) Append(_ context.Context, _ domain.Recipients, messages []domain.Message, again bool) ([]ports.Entry, error) {
	l.again = again
	return make([]ports.Entry, len(messages)), nil
}

// A job may have been begun before, as far as the record tells, if it was received before, or
// was put on the queue long after its messages were sent: as a dead letter that is sent back.
func TestWhichJobsMayHaveBeenBegun(t *testing.T) {
	const sentAt, body = "1795338000123", `{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"1"}]}`
	for name, test := range map[string]struct {
		receives, queuedAt string
		want               bool
	}{
		"new":                 {"1", sentAt, false},
		"queued slowly":       {"1", "1795338060123", false},
		"by a clock behind":   {"1", "1795330000123", false},
		"without a time":      {"1", "", false},
		"received before":     {"2", sentAt, true},
		"a dead letter":       {"1", "1795338060124", true},
		"without a count":     {"", sentAt, true},
		"days after it died":  {"1", "1795538000123", true},
		"received, and a day": {"3", "1795438000123", true},
	} {
		log := &appends{messageLog: newMessageLog()}
		f := lambdaevent.FanOut{Worker: fanout.New(fanout.Ports{
			Connections: &store{}, Subscriptions: subscriptions{}, Poster: nobody{}, Parts: &queue{}, Retries: &queue{}, DeadLetters: &queue{}, Log: log,
		}, slog.New(slog.DiscardHandler), fanout.Options{})}
		record := events.SQSMessage{MessageId: "m", Body: body, Attributes: map[string]string{
			"ApproximateReceiveCount": test.receives, "SentTimestamp": test.queuedAt,
		}}
		if _, err := f.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{record}}); err != nil {
			t.Fatal(err)
		}
		if log.again != test.want {
			t.Errorf("%s: again %v, want %v", name, log.again, test.want)
		}
	}
}
