package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"serverless-websocket/integration/load/report"
)

// outputs are where the report goes.
type outputs struct {
	summary io.Writer
	files   []output
}

// output is one file, created before the test so that it is not in vain.
type output struct {
	name  string
	to    io.Writer
	close func() error
	write func(report.Report, io.Writer) error
}

// openOutputs creates the files. When one of them is standard output, the
// summary goes to stderr.
func openOutputs(s settings, stdout, stderr io.Writer) (outputs, error) {
	out := outputs{summary: stdout}
	for _, one := range []struct {
		name  string
		write func(report.Report, io.Writer) error
	}{
		{s.json, report.Report.JSON}, {s.csv, report.Report.CSV}, {s.html, report.Report.HTML},
	} {
		switch one.name {
		case "":
		case "-":
			out.summary = stderr
			out.files = append(out.files, output{"standard output", stdout, func() error { return nil }, one.write})
		default:
			f, err := os.Create(one.name)
			if err != nil {
				return out, err
			}
			out.files = append(out.files, output{one.name, f, f.Close, one.write})
		}
	}
	return out, nil
}

// write writes the report everywhere, even where something before has failed.
func (o outputs) write(r report.Report) error {
	errs := []error{r.Text(o.summary)}
	for _, f := range o.files {
		if err := errors.Join(f.write(r, f.to), f.close()); err != nil {
			errs = append(errs, fmt.Errorf("write %s: %w", f.name, err))
		}
	}
	return errors.Join(errs...)
}
