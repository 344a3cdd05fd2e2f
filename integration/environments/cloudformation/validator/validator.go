// Package validator checks CloudFormation templates offline against the schemas of the
// resource types: it runs the npm package @aws/cloudformation-validate, which npm ci
// installs.
package validator

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"serverless-websocket/integration/environments/testenv"
)

// Finding is a finding of the validator about a template.
type Finding struct {
	RuleID       string
	Severity     string // FATAL, ERROR, WARN, INFO, DEBUG
	Message      string
	PropertyPath string
	Entity       struct{ LogicalID, ResourceType string }
}

// notInEnum is the rule about values that the schema does not list. It is a warning,
// since lists grow, but CloudFormation refuses such a value.
const notInEnum = "W3030"

// Refused reports whether CloudFormation would refuse the template because of the
// finding.
func (f Finding) Refused() bool {
	return f.Severity == "FATAL" || f.Severity == "ERROR" || f.RuleID == notInEnum
}

func (f Finding) String() string {
	return fmt.Sprintf("%s %s %s %s: %s", f.Severity, f.RuleID, f.Entity.LogicalID, f.PropertyPath, f.Message)
}

// Validator is a running validator, which takes seconds to start and less per template.
// Its methods are safe for concurrent use.
type Validator struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	mu     sync.Mutex
}

// Start starts a validator, which ends with Stop or with this process. node is the path
// of the node program.
func Start(node string) (*Validator, error) {
	v := &Validator{cmd: exec.Command(node, "validate.mjs")}
	v.cmd.Dir = filepath.Join(testenv.Root(), "integration", "environments", "cloudformation", "validator")
	v.cmd.Stderr = os.Stderr
	var err error
	if v.stdin, err = v.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := v.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	v.stdout = bufio.NewReader(stdout)
	return v, v.cmd.Start()
}

// Stop ends the validator.
func (v *Validator) Stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdin.Close()
	_ = v.cmd.Wait() // it has no more output
}

// Validate returns the validator's findings about the template, which is in JSON.
func (v *Validator) Validate(template []byte) ([]Finding, error) {
	file, err := os.CreateTemp("", "template-*.json")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(template)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return v.ask(file.Name())
}

func (v *Validator) ask(path string) ([]Finding, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, err := fmt.Fprintln(v.stdin, path); err != nil {
		return nil, fmt.Errorf("the validator has ended: %w", err)
	}
	line, err := v.stdout.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("the validator has ended: %w", err)
	}
	var report struct {
		Status      string
		Diagnostics []Finding
	}
	if err := json.Unmarshal(line, &report); err != nil {
		return nil, fmt.Errorf("the validator printed %q: %w", line, err)
	}
	if report.Status != "OK" {
		return nil, fmt.Errorf("the validator's status is %s", report.Status)
	}
	return report.Diagnostics, nil
}
