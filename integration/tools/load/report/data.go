package report

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
)

// JSON writes the complete report.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

var csvHead = []string{
	"from_s", "to_s", "connected", "sent", "accepted", "rejected", "delivered", "bytes", "p50_ms", "p99_ms", "max_ms",
}

// CSV writes a line for each second, with the fields of Second. Without
// deliveries the latencies are empty.
func (r Report) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	_ = c.Write(csvHead) // Error returns the errors
	for _, s := range r.Seconds {
		_ = c.Write(s.record())
	}
	c.Flush()
	return c.Error()
}

func (s Second) record() []string {
	fields := []string{decimal(s.From), decimal(s.To)}
	for _, n := range []int{s.Connected, s.Sent, s.Accepted, s.Rejected, s.Delivered, s.Bytes} {
		fields = append(fields, strconv.Itoa(n))
	}
	for _, latency := range []Millis{s.P50, s.P99, s.Max} {
		if s.Max == 0 {
			fields = append(fields, "")
		} else {
			fields = append(fields, decimal(float64(latency)))
		}
	}
	return fields
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }
