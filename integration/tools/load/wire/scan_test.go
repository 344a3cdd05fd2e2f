package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var codec = NewCodec(run, 100, Service)

func content(n int) string {
	return string(codec.appendContent(nil, Stamp{N: n, Due: int64(10 * n), Sent: int64(10*n + 3)}))
}

// numbered is an envelope of a service that keeps history.
func numbered(contents ...string) []byte {
	whole := envelope(contents...)
	whole = bytes.ReplaceAll(whole, []byte(`,"sentAt"`), []byte(`,"seq":7,"sentAt"`))
	return append(whole[:len(whole)-1], `,"channel":"everyone","epoch":"k3"}`...)
}

func stamps(numbers ...int) []Stamp {
	var all []Stamp
	for _, n := range numbers {
		all = append(all, Stamp{n, int64(10 * n), int64(10*n + 3)})
	}
	return all
}

func TestScan(t *testing.T) {
	other := strings.Replace(content(1), run, "OTHER234", 1)
	for name, test := range map[string]struct {
		message string
		want    Batch
		slow    bool // needs encoding/json
	}{
		"one":             {string(envelope(content(1))), Batch{Stamps: stamps(1)}, false},
		"several":         {string(envelope(content(0), content(1), content(20))), Batch{Stamps: stamps(0, 1, 20)}, false},
		"more members":    {`{"messages":[{"room":"a","content":` + content(1) + `,"from":"é"}]}`, Batch{Stamps: stamps(1)}, false},
		"content last":    {`{"messages":[{"id":"x","content":` + content(1) + `}]}`, Batch{Stamps: stamps(1)}, false},
		"none":            {`{"messages":[]}`, Batch{}, true},
		"escape":          {`{"messages":[{"content":` + content(1) + `,"id":"\n"}]}`, Batch{Stamps: stamps(1)}, true},
		"history":         {string(numbered(content(1), content(2))), Batch{Stamps: stamps(1, 2)}, false},
		"negative member": {`{"messages":[{"content":` + content(1) + `,"seq":-1}]}`, Batch{Stamps: stamps(1)}, true},
		"no epoch":        {`{"messages":[{"content":` + content(1) + `}],"channel":"a"}`, Batch{Stamps: stamps(1)}, true},
		"after the epoch": {string(numbered(content(1))) + "}", Batch{Unreadable: 1}, true},
		"outer space":     {"\n{ \"messages\" : [ { \"content\" : " + content(1) + " , \"id\" : \"x\" } ] }\t", Batch{Stamps: stamps(1)}, true},
		"inner space":     {string(envelope(strings.ReplaceAll(content(1), ",", " ,\n"))), Batch{Stamps: stamps(1)}, true},
		"other key":       {`{"messages":[{"Content":` + content(1) + `}]}`, Batch{Foreign: 1}, true},
		"content twice":   {`{"messages":[{"content":` + content(1) + `,"content":` + content(2) + `}]}`, Batch{Stamps: stamps(2)}, true},
		"others between":  {string(envelope(content(1), `"hello"`, other, content(2))), Batch{Stamps: stamps(1, 2), Foreign: 2}, true},
		"strings between": {string(envelope(content(1), `"hello"`, content(2), `"hello"`)), Batch{Stamps: stamps(1, 2), Foreign: 2}, false},
		"no content":      {`{"messages":[{"id":"x"}]}`, Batch{Foreign: 1}, true},
		"shorter":         {string(envelope(strings.Replace(content(1), "xx", "x", 1))), Batch{Damaged: 1}, true},
		"other padding":   {string(envelope(strings.Replace(content(1), "xx", "xy", 1))), Batch{Damaged: 1}, true},
		"no number":       {string(envelope(strings.Replace(content(1), `"n":1,`, "", 1))), Batch{Damaged: 1}, true},
		"negative":        {string(envelope(strings.Replace(content(1), `"n":1,`, `"n":-1,`, 1))), Batch{Damaged: 1}, true},
		"fraction":        {string(envelope(strings.Replace(content(1), `"n":1,`, `"n":1.5,`, 1))), Batch{Damaged: 1}, true},
		"leading zero":    {string(envelope(strings.Replace(content(1), `"n":1,`, `"n":01,`, 1))), Batch{Unreadable: 1}, true},
		"accepted":        {`{"accepted":{"id":"01J","ref":"7"}}`, Batch{Replies: []Reply{{N: 7, Accepted: true}}}, true},
		"accepted, space": {`{ "accepted" : { "ref" : "7" } }`, Batch{Replies: []Reply{{N: 7, Accepted: true}}}, true},
		"rejected":        {`{"error":{"code":"unavailable","message":"…","ref":"7"}}`, Batch{Replies: []Reply{{N: 7, Code: "unavailable"}}}, true},
		"without ref":     {`{"error":{"code":"invalid_json"}}`, Batch{Replies: []Reply{{N: NoNumber, Code: "invalid_json"}}}, true},
		"gateway":         {`{"message":"Internal server error","requestId":"x"}`, Batch{Replies: []Reply{{N: NoNumber, Code: "Internal server error"}}}, true},
		"truncated":       {string(envelope(content(1))[:150]), Batch{Unreadable: 1}, true},
		"more behind":     {string(envelope(content(1))) + "{}", Batch{Unreadable: 1}, true},
		"empty":           {"", Batch{Unreadable: 1}, true},
		"of no kind":      {`{"hello":1}`, Batch{Unreadable: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if test.want.Unreadable+len(test.want.Replies) == 0 {
				test.want.Frames = 1
			}
			var got Batch
			codec.Scan(&got, []byte(test.message))
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", test.message, diff)
			}
			if _, fast := understood([]byte(test.message)); fast == test.slow {
				t.Errorf("fast %v, want %v", fast, !test.slow)
			}
		})
	}
}

// understood is the scanner's result for a message without encoding/json.
func understood(message []byte) (b Batch, ok bool) {
	rest, ok := cut(message, envelopeHead)
	return b, ok && codec.scanMessages(&b, rest)
}

// seeds are messages of many kinds.
func seeds() [][]byte {
	whole := envelope(content(1), content(20))
	return [][]byte{
		whole, envelope(), envelope(content(3), `"x"`, content(4)), numbered(content(1), content(20)),
		bytes.ReplaceAll(whole, []byte(","), []byte(", ")),
		bytes.Replace(whole, []byte(`"id"`), []byte(`"content"`), 1),
		bytes.Replace(whole, []byte(`"id"`), []byte(`"Content"`), 1),
		bytes.Replace(whole, []byte(`"n":1`), []byte(`"n":00`), 1),
		bytes.Replace(whole, []byte(`:"2026`), []byte(":\"\xff\\u0000"), 1),
		[]byte(`{"accepted":{"ref":"1"}}`),
	}
}

// Whatever the scanner understands by itself, encoding/json must understand in the same
// way.
func FuzzScan(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		fast, ok := understood(message)
		if !ok {
			return
		}
		var slow Batch
		codec.decode(&slow, message)
		fast.Frames = 1
		if diff := cmp.Diff(slow, fast); diff != "" {
			t.Errorf("%q\n(-json +scanner):\n%s", message, diff)
		}
	})
}

// A message that arrives in parts is understood as if it arrived at once. The beginning
// may be understood even if the message is not JSON.
func FuzzParts(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed, uint(7), uint(len(seed)-3))
		f.Add(seed, uint(13), uint(len(seed)/2))
	}
	f.Fuzz(func(t *testing.T, message []byte, first, second uint) {
		first %= uint(len(message) + 1)
		second = first + second%(uint(len(message)+1)-first)
		var whole Batch
		var d desk
		codec.Scan(&whole, message)
		var c Conn
		c.codec = codec
		for _, part := range []struct {
			data []byte
			last bool
		}{{message[:first], false}, {message[first:second], false}, {message[second:], true}} {
			if err := c.part(&d, part.data, part.last); err != nil {
				t.Fatal(err)
			}
		}
		parts := d.batch
		if whole.Unreadable > 0 {
			parts.Stamps, parts.Foreign = whole.Stamps, whole.Foreign
		}
		if diff := cmp.Diff(whole, parts, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b Stamp) bool { return a.N < b.N })); diff != "" {
			t.Errorf("%q cut at %d and %d\n(-whole +parts):\n%s", message, first, second, diff)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	for _, messages := range []int{1, 100} {
		b.Run(fmt.Sprint(messages), func(b *testing.B) {
			var contents []string
			for n := range messages {
				contents = append(contents, content(n))
			}
			message, batch := envelope(contents...), Batch{}
			b.ReportAllocs()
			for b.Loop() {
				batch.reset()
				codec.Scan(&batch, message)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(messages), "ns/delivery")
		})
	}
}
