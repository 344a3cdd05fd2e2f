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
	// base is another column of the same server to compare with; nil compares with the
	// service's value in this column.
	base func(round) float64
}

var columns = []figure{
	{"paced: CPU per delivery", "%.1f µs", func(r round) float64 { return r.paced.Server.PerDelivery }, nil},
	{"p99", "%.0f ms", pacedP99, nil},
	{"p99 while one client floods", "%.0f ms", floodedP99, pacedP99},
	{"broadcasts/s of the flood", "%.0f", func(r round) float64 { return floodPerSecond(r.flooded) }, nil},
	{"full speed: deliveries/s", "%.0f", func(r round) float64 { return r.burst.Deliveries.PerSecond }, nil},
	{"CPU per delivery", "%.2f µs", func(r round) float64 { return r.burst.Server.PerDelivery }, nil},
	{"memory per idle connection", "%.1f KB", func(r round) float64 { return r.paced.Server.BytesPerConnection / 1e3 }, nil},
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

// floodPerSecond is how much of the flood the server accepted and sent to everyone. Some
// servers keep the p99 of the others low by reading slowly from the flooding client.
func floodPerSecond(r report.Report) float64 {
	last := r.Seconds[len(r.Seconds)-1]
	return float64(r.Deliveries.Foreign) / float64(r.Connections.Connected) / last.To
}

// write prints the medians of all contenders, the service first, and their ratios to the
// service's.
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
	fmt.Fprintln(w, "\nThe service accepts a message once it is on disk or, keeping nothing, queued, centrifuge once it is published; with the others, a broadcast counts as accepted once its sender gets it back.")
	fmt.Fprintln(w, "While one client floods: paced as before; in parentheses, the ratio to the p99 without the flood. Lost means not delivered within five seconds of the last broadcast.")
}

// cell is the median of a server's rounds and its ratio to the base.
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
