package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text writes the summary for people.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", r.Settings.URL, r.Settings.title())
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, one := range r.rows() {
		fmt.Fprintf(t, "%s\t%s\n", one.Label, one.Text)
	}
	flush(t)
	if rows := r.latencyRows(); len(rows) > 0 {
		fmt.Fprintf(t, "\nlatency\t%s\n", strings.Join(latencyHead, "\t"))
		for _, one := range rows {
			fmt.Fprint(t, one.Label)
			for _, value := range one.Values {
				fmt.Fprintf(t, "\t%s", value)
			}
			fmt.Fprintln(t)
		}
		flush(t)
		if note := r.latencyNote(); note != "" {
			fmt.Fprintf(&b, "%s\n", note)
		}
	}
	if r.Ramp != nil {
		fmt.Fprintf(t, "\n%s\n", strings.Join(stepHead, "\t"))
		for _, cells := range r.Ramp.Rows() {
			fmt.Fprintln(t, strings.Join(cells, "\t"))
		}
		flush(t)
		fmt.Fprintf(&b, "\n%s\n", r.Ramp.Outcome())
	}
	fmt.Fprintf(&b, "\n%s\n", r.Verdict())
	_, err := io.WriteString(w, b.String())
	return err
}

// flush cannot fail: it writes to memory.
func flush(t *tabwriter.Writer) { _ = t.Flush() }
