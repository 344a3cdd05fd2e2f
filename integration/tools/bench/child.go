package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// roleEnv makes this program act as a child of itself; its value is one of the roles.
const roleEnv = "BENCH_ROLE"

// roles are the roles of a child. It reads its orders from standard input and writes its
// answer to standard output.
var roles = map[string]func(orders *json.Decoder, answer *json.Encoder) error{
	"endpoint": serveEndpoint,
	"client":   measureAlone,
}

// playRole runs the child's role if this process is a child.
func playRole() (played bool) {
	role, ok := roles[os.Getenv(roleEnv)]
	if !ok {
		return false
	}
	if err := role(json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, os.Getenv(roleEnv)+":", err)
		os.Exit(1)
	}
	return true
}

// child is this program run again in a role.
type child struct {
	role    string
	process *exec.Cmd
	stdin   io.WriteCloser
	answers *json.Decoder
}

func startChild(role string, orders any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{role: role, process: exec.Command(self)}
	c.process.Env = append(os.Environ(), roleEnv+"="+role)
	c.process.Stderr = os.Stderr
	if c.stdin, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.answers = json.NewDecoder(stdout)
	if err := c.process.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", role, err)
	}
	if err := json.NewEncoder(c.stdin).Encode(orders); err != nil {
		c.stop()
		return nil, fmt.Errorf("give the %s its orders: %w", role, err)
	}
	return c, nil
}

func (c *child) answer(into any) error {
	if err := c.answers.Decode(into); err != nil {
		return fmt.Errorf("answer of the %s: %w", c.role, err)
	}
	return nil
}

// stop lets the child notice the end of its standard input.
func (c *child) stop() {
	_ = c.stdin.Close()
	_ = c.process.Wait()
}
