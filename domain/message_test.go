package domain_test

import (
	"errors"
	"testing"
	"time"

	"serverless-websocket/domain"
)

func TestMessageIDsAreULIDs(t *testing.T) {
	for id, want := range map[domain.MessageID]bool{
		anID:                            true,
		"00000000000000000000000000":    true,
		"7ZZZZZZZZZZZZZZZZZZZZZZZZZ":    true,
		"8ZZZZZZZZZZZZZZZZZZZZZZZZZ":    false, // more than 128 bits
		"":                              false,
		anID[:25]:                       false,
		anID + "0":                      false,
		"01k4zq0000000000000000000a":    false,
		"01K4ZQ000000000000000000I0":    false,
		"01K4ZQ000000000000000000L0":    false,
		"01K4ZQ000000000000000000O0":    false,
		"01K4ZQ000000000000000000U0":    false,
		`01K4ZQ00000000000000000","`:    false,
		"01K4ZQ00000000000000000한":      false,
		"01K4ZQ00000000000000000\x00AA": false,
	} {
		if got := id.Valid(); got != want {
			t.Errorf("%q: valid %v", id, got)
		}
	}
}

func TestNewMessageKeepsOutWhatWouldBreakAFrame(t *testing.T) {
	now := time.Now()
	for name, m := range map[string]domain.Message{
		"quote in the id":   {ID: `","content":"x`, SentAt: now},
		"no id":             {SentAt: now},
		"no time":           {ID: anID},
		"year 10000":        {ID: anID, SentAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"time in seconds":   {ID: anID, SentAt: time.UnixMilli(now.Unix())},
		"time in µs":        {ID: anID, SentAt: time.UnixMilli(now.UnixMicro())},
		"before the window": {ID: anID, SentAt: time.Date(1989, 12, 31, 23, 59, 59, 999, time.UTC)},
		"after the window":  {ID: anID, SentAt: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := domain.NewMessage(m.ID, m.SentAt, "", domain.Content("1"))
		var told *domain.Error
		if err == nil || errors.As(err, &told) {
			t.Errorf("%s: error %v, want one that is no client's", name, err)
		}
	}
	for _, at := range []time.Time{
		time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC),
		now.Add(time.Hour), now.AddDate(0, 0, -14),
	} {
		if _, err := domain.NewMessage(anID, at, "", domain.Content("1")); err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
}
