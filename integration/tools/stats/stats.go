// Package stats is shared by the measuring programs: medians, and tables that are
// readable as text and as Markdown.
package stats

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// Table writes a Markdown table. All columns but the first are numbers.
func Table(w io.Writer, head []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t)
	rule := slices.Repeat([]string{"---:"}, len(head))
	rule[0] = "---"
	for _, row := range slices.Concat([][]string{head, rule}, rows) {
		fmt.Fprintf(t, "| %s\t|\n", strings.Join(row, "\t| "))
	}
	_ = t.Flush() // the error of w, which is standard output
}

// Machine describes the machine in one line.
func Machine() string {
	return fmt.Sprintf("%s, %d cores, %s, %s/%s", cpuModel(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// cpuModel is the model according to Linux, or the architecture.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, model, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return runtime.GOARCH
}

// Median returns the median of a value over all samples, or the upper one of the two in
// the middle. There must be at least one sample.
func Median[S any, F cmp.Ordered](samples []S, figure func(S) F) F {
	var values []F
	for _, s := range samples {
		values = append(values, figure(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
