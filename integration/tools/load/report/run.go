package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Run runs the load generator, a built program, and returns its report. When ctx ends,
// the generator is interrupted but still reports. The error says whether something was
// lost or incomplete.
func Run(ctx context.Context, program string, args ...string) (r Report, err error) {
	generator := exec.CommandContext(ctx, program, append(args, "-json", "-")...)
	generator.Cancel = func() error { return generator.Process.Signal(os.Interrupt) }
	generator.WaitDelay = time.Minute
	out, err := generator.Output()
	if bad := json.Unmarshal(out, &r); bad != nil {
		return r, errors.Join(err, fmt.Errorf("the report: %w", bad))
	}
	if err != nil {
		return r, fmt.Errorf("the load generator: %w: %s", err, r.Verdict())
	}
	return r, nil
}
