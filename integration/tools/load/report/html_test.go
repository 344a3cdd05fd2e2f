package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"serverless-websocket/integration/tools/load/report"
)

// element is one of an SVG.
type element struct {
	name  string
	attrs map[string]string
	text  string
}

// svgs parses the drawings of a page, which must be XML.
func svgs(t *testing.T, page string) [][]element {
	t.Helper()
	var all [][]element
	for _, source := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
		all = append(all, elements(t, source))
	}
	return all
}

func elements(t *testing.T, source string) (all []element) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(source)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in %s", err, source)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all = append(all, e)
		case xml.CharData:
			all[len(all)-1].text += strings.TrimSpace(string(token))
		}
	}
}

var numbers = regexp.MustCompile(`-?[0-9.]+(e[-+]?[0-9]+)?`)

func parse(t *testing.T, text string) (all []float64) {
	t.Helper()
	for _, n := range numbers.FindAllString(text, -1) {
		x, err := strconv.ParseFloat(n, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return all
}

// Everything is inside its drawing, and the lines are inside the grid.
func TestGeometry(t *testing.T) {
	drawings := svgs(t, render(t, sample(), "sample.html"))
	if len(drawings) != 5 {
		t.Fatalf("%d drawings", len(drawings))
	}
	for _, drawing := range drawings {
		box := parse(t, drawing[0].attrs["viewBox"])
		var xs, ys []float64
		for _, e := range drawing {
			if e.name == "line" {
				xs = append(xs, parse(t, e.attrs["x1"]+" "+e.attrs["x2"])...)
				ys = append(ys, parse(t, e.attrs["y1"]+" "+e.attrs["y2"])...)
			}
		}
		left, right, top, bottom := slices.Min(xs), slices.Max(xs), slices.Min(ys), slices.Max(ys)
		if left < 0 || top < 0 || right > box[2] || bottom > box[3] {
			t.Errorf("the grid is %v to %v, %v to %v in %v", left, right, top, bottom, box)
		}
		for _, e := range drawing {
			if e.name != "path" {
				continue
			}
			points := parse(t, strings.ReplaceAll(e.attrs["d"], "h0", ""))
			if len(points) < 4 || len(points)%2 != 0 {
				t.Errorf("path %q", e.attrs["d"])
			}
			for i, v := range points {
				if i%2 == 0 && (v < left || v > right) || i%2 == 1 && (v < top || v > bottom) {
					t.Errorf("%v is out of the grid, in %s", v, e.attrs["d"])
				}
			}
		}
	}
}

// A second without deliveries is a gap in the latencies and 0 in the rate.
func TestGaps(t *testing.T) {
	drawings := svgs(t, render(t, sample(), "sample.html"))
	for i, want := range map[int]int{0: 2, 2: 1} {
		for _, e := range drawings[i] {
			if e.name == "path" && strings.Count(e.attrs["d"], "M") != want {
				t.Errorf("drawing %d: %q, want %d pieces", i, e.attrs["d"], want)
			}
		}
	}
}

// A truncated last interval is no spike.
func TestCutOffInterval(t *testing.T) {
	r := sample()
	whole := svgs(t, render(t, r, "sample.html"))[2]
	last := r.Seconds[len(r.Seconds)-1]
	last.From, last.To = last.To, last.To+0.4*last.Length()
	r.Seconds = append(r.Seconds, last)
	cut := svgs(t, render(t, r, "sample.html"))[2]
	for i, drawing := range [][]element{whole, cut} {
		for _, e := range drawing {
			if n := strings.Count(e.attrs["d"], "L"); e.name == "path" && n != 9 {
				t.Errorf("drawing %d: %d pieces, want 9: %s", i, n, e.attrs["d"])
			}
		}
	}
}

// A single interval is a dot.
func TestDot(t *testing.T) {
	r := sample()
	r.Seconds = r.Seconds[:1]
	for _, e := range svgs(t, render(t, r, "sample.html"))[0] {
		if e.name == "path" && !strings.HasSuffix(e.attrs["d"], "h0") {
			t.Errorf("path %q", e.attrs["d"])
		}
	}
}

func labels(drawing []element) (all []string) {
	for _, e := range drawing {
		if e.name == "text" {
			all = append(all, e.text)
		}
	}
	return all
}

// Rates begin at 0; logarithmic axes say so; labels are not repeated.
func TestAxes(t *testing.T) {
	for i, drawing := range svgs(t, render(t, sample(), "sample.html")) {
		all := labels(drawing)
		text := strings.Join(all, "|")
		if i < 2 && !strings.Contains(text, "log scale") {
			t.Errorf("drawing %d does not say that it is logarithmic: %s", i, text)
		}
		if i >= 2 && all[0] != "0" {
			t.Errorf("drawing %d begins at %s", i, all[0])
		}
	}
}

// The verdict is green only if the run was complete.
func TestVerdictColour(t *testing.T) {
	for class, r := range map[string]report.Report{
		`"verdict good"`: {},
		`"verdict bad"`:  {Failure: "1 broadcast not sent"},
	} {
		if page := render(t, r, "sample.html"); !strings.Contains(page, class) {
			t.Errorf("%q is not %s", r.Failure, class)
		}
	}
}

// Whatever the values are, an axis has a few different labels.
func TestScales(t *testing.T) {
	for _, most := range []float64{0.002, 0.9, 1, 7, 99, 100, 101, 12_345, 3.6e6} {
		r := sample()
		for i := range r.Seconds {
			s := &r.Seconds[i]
			s.P50, s.P99, s.Max = report.Millis(most/2), report.Millis(most/1.1), report.Millis(most)
			s.Delivered = int(most * 10)
		}
		points := []report.Point{{Percent: 0, Latency: report.Millis(most / 3)}, {Percent: 100, Latency: report.Millis(most)}}
		r.FromSchedule = report.Latency{Count: 10, Max: report.Millis(most), Points: points}
		r.FromSend, r.SlowReaders = r.FromSchedule, report.Latency{}
		for i, drawing := range svgs(t, render(t, r, "sample.html")) {
			var vertical []string
			for _, e := range drawing {
				if e.name == "text" && e.attrs["text-anchor"] == "end" {
					vertical = append(vertical, e.text)
				}
			}
			unique := slices.Compact(slices.Sorted(slices.Values(vertical)))
			if len(vertical) < 2 || len(vertical) > 16 || len(unique) != len(vertical) {
				t.Errorf("up to %v, drawing %d: %q", most, i, vertical)
			}
		}
	}
}

// The page needs nothing from elsewhere, and content from a server is escaped.
func TestSelfContained(t *testing.T) {
	page := render(t, sample(), "sample.html")
	for _, bad := range []string{"<script", "<link", "@import", "url(", "src=", "<too many>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if n := strings.Count(page, "//") - strings.Count(page, "http://www.w3.org/2000/svg") - strings.Count(page, "wss://api.example.com"); n != 0 {
		t.Errorf("%d more addresses in the page", n)
	}
	for _, want := range []string{"12 deliveries were lost.", "prefers-color-scheme: dark", `name="viewport"`, "@media (max-width: 540px)", "over 250 ms", "3 × HTTP 429", "14,029"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
}
