package domain_test

import (
	"errors"
	"testing"
	"time"

	"serverless-websocket/domain"
)

func TestParsePosition(t *testing.T) {
	for text, want := range map[string]domain.Position{
		"k3.41":                {Epoch: "k3", Seq: 41},
		"0.1":                  {Epoch: "0", Seq: 1},
		"a.9007199254740991":   {Epoch: "a", Seq: domain.MaxSeq},
		"0123456789abcdef.100": {Epoch: "0123456789abcdef", Seq: 100},
	} {
		if got, err := domain.ParsePosition(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", ".", "k3", "k3.", ".41", "k3.0", "k3.-1", "k3.+1", "k3.041", "k3.4.1", "k3. 41", "K3.41", "k 3.41", "k3.41\n",
		"a.9007199254740992", "a.18446744073709551617", "0123456789abcdefg.1", "é.1", "0.0", "000000000.0", "zzzzzzzzz.0", "zzzzzzzzzzzzzzzz.0",
	} {
		got, err := domain.ParsePosition(text)
		if refused := new(domain.Error); !errors.As(err, &refused) || refused.Code != domain.InvalidPosition || got != (domain.Position{}) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	if text := (domain.Position{}).String(); text != "" {
		t.Errorf("the zero position is %q", text)
	}
}

func TestThePlaceInAnEmptyLog(t *testing.T) {
	at := time.UnixMilli(1795338000123)
	for _, log := range []string{"", "a1", "zzzzzzz"} {
		p, err := domain.ParsePosition(domain.NothingSince(at, log).String())
		since, of, ok := p.Nothing()
		if err != nil || !ok || !since.Equal(at) || of != log {
			t.Errorf("%v is %v in %q, %v, %v", domain.NothingSince(at, log), since, of, ok, err)
		}
		if _, _, ok := (domain.Position{Epoch: p.Epoch, Seq: 1}).Nothing(); ok {
			t.Errorf("the place of a message is a time: %v", p)
		}
	}
}
