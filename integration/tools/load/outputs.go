package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"serverless-websocket/integration/tools/load/report"
)

// outputs are the destinations of the report.
type outputs struct {
	summary io.Writer
	files   []output
}

// output is one file, opened before the test so that the test is not in vain.
type output struct {
	what  string // its format
	name  string
	to    io.Writer
	empty func() error // its previous content
	close func() error
	write func(report.Report, io.Writer) error
}

// openOutputs opens the files without changing them. If one of them is standard output,
// the summary goes to stderr.
func openOutputs(s settings, stdout, stderr io.Writer) (outputs, error) {
	out := outputs{summary: stdout}
	for _, one := range []struct {
		what, name string
		write      func(report.Report, io.Writer) error
	}{
		{"JSON", s.json, report.Report.JSON}, {"CSV", s.csv, report.Report.CSV}, {"HTML", s.html, report.Report.HTML},
	} {
		switch one.name {
		case "":
		case "-":
			out.summary = stderr
			out.files = append(out.files, output{one.what, "standard output", stdout, nothing, nothing, one.write})
		default:
			f, err := os.OpenFile(one.name, os.O_WRONLY|os.O_CREATE, 0o666)
			if err != nil {
				return out, err
			}
			out.files = append(out.files, output{one.what, one.name, f, func() error { return empty(f) }, f.Close, one.write})
		}
	}
	return out, nil
}

func nothing() error { return nil }

// empty truncates a file; a device or a pipe cannot be.
func empty(f *os.File) error {
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.Truncate(0)
}

// write writes the report to all outputs, even after one has failed, and lists them.
func (o outputs) write(r report.Report) error {
	errs := []error{r.Text(o.summary)}
	for _, f := range o.files {
		if err := errors.Join(f.empty(), f.write(r, f.to), f.close()); err != nil {
			errs = append(errs, fmt.Errorf("write %s: %w", f.name, err))
		} else {
			fmt.Fprintf(o.summary, "%s written to %s\n", f.what, f.name)
		}
	}
	return errors.Join(errs...)
}
