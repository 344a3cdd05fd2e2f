package testenv

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"time"
)

// listensWithin is how long a server can take to listen on a busy machine.
const listensWithin = time.Minute

// Serve starts a server on a free address of this machine and returns both once it
// listens there. The caller stops the process.
func Serve(ctx context.Context, command func(address string) (*exec.Cmd, error)) (*Process, string, error) {
	port, err := FreePort()
	if err != nil {
		return nil, "", err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	cmd, err := command(address)
	if err != nil {
		return nil, "", err
	}
	process, err := Run(cmd)
	if err != nil {
		return nil, "", err
	}
	if err := listens(ctx, process, address); err != nil {
		process.Stop()
		return nil, "", fmt.Errorf("%s does not listen on %s: %w; its output: %s", cmd.Path, address, err, Tail(process.Output()))
	}
	return process, address, nil
}

func listens(ctx context.Context, process *Process, address string) error {
	ctx, cancel := context.WithTimeout(ctx, listensWithin)
	defer cancel()
	go func() {
		select {
		case <-process.Exited():
			cancel()
		case <-ctx.Done():
		}
	}()
	return Poll(ctx, func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
		}
		return err == nil
	})
}
