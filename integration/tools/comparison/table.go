package main

import (
	"fmt"
	"io"
	"math"

	"serverless-websocket/integration/tools/load/report"
	"serverless-websocket/integration/tools/stats"
)

// figure is a column of the table.
type figure struct {
	name, format string
	of           func(round) float64
	// base is another figure of the same server, to which this one is compared; nil
	// for the same one of the service.
	base func(round) float64
}

var columns = []figure{
	{"paced: CPU for each delivery", "%.1f µs", func(r round) float64 { return r.paced.Server.PerDelivery }, nil},
	{"p99", "%.0f ms", pacedP99, nil},
	{"p99 while one client floods", "%.0f ms", floodedP99, pacedP99},
	{"of the flood: broadcasts/s", "%.0f", func(r round) float64 { return floodPerSecond(r.flooded) }, nil},
	{"as accepted: deliveries/s", "%.0f", func(r round) float64 { return r.burst.Deliveries.PerSecond }, nil},
	{"CPU for each", "%.2f µs", func(r round) float64 { return r.burst.Server.PerDelivery }, nil},
	{"memory for each idle connection", "%.1f KB", func(r round) float64 { return r.paced.Server.BytesPerConnection / 1e3 }, nil},
	{"connects/s", "%.0f", func(r round) float64 { return connectsPerSecond(r.paced.Connections) }, nil},
}

func pacedP99(r round) float64 { return float64(r.paced.FromSchedule.P99) }

// floodedP99 is infinite when more than one delivery in a hundred never came.
func floodedP99(r round) float64 {
	if r.flooded.NeverArrived() > 1 {
		return math.Inf(1)
	}
	return float64(r.flooded.FromSchedule.P99)
}

func connectsPerSecond(c report.Connections) float64 { return float64(c.Connected) / c.Seconds }

// floodPerSecond is how much of the flood the server took and sent to everybody.
// Some servers keep the p99 of the others by reading slowly from who floods.
func floodPerSecond(r report.Report) float64 {
	last := r.Seconds[len(r.Seconds)-1]
	return float64(r.Deliveries.Foreign) / float64(r.Connections.Connected) / last.To
}

// write prints the medians of all contenders, the service first, and how many
// times the service's own figure each is.
func write(w io.Writer, s settings, contenders []contender, rounds [][]round) {
	fmt.Fprintln(w, stats.Machine())
	fmt.Fprintf(w, "%d clients, %d broadcasts of 100 bytes, paced: %g a second; client and server share the machine. Medians of %d rounds.\n",
		s.clients, s.broadcasts, s.rate, s.rounds)
	head := []string{"server"}
	for _, column := range columns {
		head = append(head, column.name)
	}
	var rows [][]string
	for i, c := range contenders {
		row := []string{c.name}
		for _, column := range columns {
			row = append(row, column.cell(rounds[0], rounds[i]))
		}
		rows = append(rows, row)
	}
	stats.Table(w, head, rows)
	fmt.Fprintln(w, "\nThe service accepts a message when it is queued, centrifuge when it is published; of the others, a broadcast counts as accepted when it is back at its sender.")
	fmt.Fprintln(w, "While one client floods: paced as before, and in brackets how many times the p99 without the flood. A share that is lost had not come five seconds after the last broadcast.")
}

// cell is the median of a server's rounds, and how many times another figure it is.
func (f figure) cell(service, server []round) string {
	value := stats.Median(server, f.of)
	if math.IsInf(value, 0) {
		return fmt.Sprintf("%.0f %% lost", stats.Median(server, func(r round) float64 { return r.flooded.NeverArrived() }))
	}
	cell := fmt.Sprintf(f.format, value)
	switch {
	case f.base != nil:
		cell += fmt.Sprintf(" (%.2g×)", value/stats.Median(server, f.base))
	case &service[0] != &server[0]:
		cell += fmt.Sprintf(" (%.2g×)", value/stats.Median(service, f.of))
	}
	return cell
}
