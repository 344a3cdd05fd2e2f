package report

import (
	"fmt"
	"strings"
)

// The size of a chart and the room around its plot, in the units of the SVG.
const (
	chartWidth, chartHeight = 560, 270
	marginLeft              = 82
	marginRight             = 32
	marginTop               = 14
	marginBottom            = 46
	plotWidth               = chartWidth - marginLeft - marginRight
	plotHeight              = chartHeight - marginTop - marginBottom
)

// chart is an SVG with everything in its place.
type chart struct {
	ID, Title      string
	XLabel, YLabel string
	XTicks, YTicks []mark
	Lines          []line
}

// mark is a tick where it is drawn.
type mark struct {
	At    float64
	Label string
}

// line is one series of a chart.
type line struct {
	Class, Label string // the class gives it its color
	Path         string // of an SVG path
}

// The plot's edges, for the template.
func (chart) Left() int   { return marginLeft }
func (chart) Right() int  { return marginLeft + plotWidth }
func (chart) Top() int    { return marginTop }
func (chart) Bottom() int { return marginTop + plotHeight }
func (chart) Width() int  { return chartWidth }
func (chart) Height() int { return chartHeight }
func (chart) Middle() int { return marginLeft + plotWidth/2 }
func (chart) Centre() int { return marginTop + plotHeight/2 }

// Summary describes the chart for readers who cannot see it.
func (c chart) Summary() string {
	var names []string
	for _, l := range c.Lines {
		names = append(names, l.Label)
	}
	return c.Title + ": " + strings.Join(names, ", ")
}

func newChart(x, y scale) chart {
	var c chart
	for _, t := range x.ticks {
		c.XTicks = append(c.XTicks, mark{plotX(t.At), t.Label})
	}
	for _, t := range y.ticks {
		c.YTicks = append(c.YTicks, mark{plotY(t.At), t.Label})
	}
	return c
}

func plotX(at float64) float64 { return round(marginLeft + at*plotWidth) }
func plotY(at float64) float64 { return round(marginTop + (1-at)*plotHeight) }

// round keeps a tenth, which is finer than what can be seen.
func round(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// point is a value of a line; missing points interrupt it.
type point struct {
	x, y    float64
	missing bool
}

// path draws the points that exist. A single one becomes a dot, thanks to the round ends
// of its line.
func path(points []point, x, y scale) string {
	var b strings.Builder
	drawing := false
	for i, p := range points {
		if p.missing {
			drawing = false
			continue
		}
		command := "L"
		if !drawing {
			command = "M"
		}
		fmt.Fprintf(&b, "%s%g %g", command, plotX(x.place(p.x)), plotY(y.place(p.y)))
		if !drawing && (i+1 == len(points) || points[i+1].missing) {
			b.WriteString("h0")
		}
		drawing = true
	}
	return b.String()
}
