package main

import (
	"fmt"
	"io"

	"serverless-websocket/integration/figures"
	"serverless-websocket/integration/load/report"
)

// figure is a column of the table.
type figure struct {
	name, format string
	of           func(round) float64
}

var columns = []figure{
	{"paced: CPU for each delivery", "%.1f µs", func(r round) float64 { return r.paced.Server.PerDelivery }},
	{"p99", "%.0f ms", func(r round) float64 { return float64(r.paced.FromSchedule.P99) }},
	{"as accepted: deliveries/s", "%.0f", func(r round) float64 { return r.burst.Deliveries.PerSecond }},
	{"CPU for each", "%.2f µs", func(r round) float64 { return r.burst.Server.PerDelivery }},
	{"memory for each idle connection", "%.1f KB", func(r round) float64 { return r.paced.Server.BytesPerConnection / 1e3 }},
	{"connects/s", "%.0f", func(r round) float64 { return connectsPerSecond(r.paced.Connections) }},
}

func connectsPerSecond(c report.Connections) float64 { return float64(c.Connected) / c.Seconds }

// write prints the medians of all contenders, and what the first one, the
// service, makes of them: how many times its own figure each is.
func write(w io.Writer, s settings, contenders []contender, rounds [][]round) {
	fmt.Fprintln(w, figures.Machine())
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
			own, value := figures.Median(rounds[0], column.of), figures.Median(rounds[i], column.of)
			cell := fmt.Sprintf(column.format, value)
			if i > 0 {
				cell += fmt.Sprintf(" (%.2g×)", value/own)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	figures.Table(w, head, rows)
	fmt.Fprintln(w, "\nThe service accepts a message when it is queued; of the others, a broadcast counts as accepted when it is back at its sender.")
}
