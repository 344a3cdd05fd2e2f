package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/integration/tools/load/wire"
)

// contender is a server to measure.
type contender struct {
	name     string
	protocol wire.Protocol
	path     string                                       // of its URL
	missing  func(dir string) error                       // why it cannot be measured here
	command  func(dir, address string) (*exec.Cmd, error) // that serves there; dir is for its files
}

// service is the standalone service as it runs by default: a message is validated, queued,
// appended to the log, fanned out and sent by the gateway. The queue and the log are on disk.
func service(program string) contender {
	return contender{
		name:     "this service",
		protocol: wire.Service,
		path:     "/",
		command: func(dir, address string) (*exec.Cmd, error) {
			data, err := os.MkdirTemp(dir, "data-") // each run starts with none
			return standalone(program, address, "-data", data), err
		},
	}
}

// inMemory is the service as it keeps nothing, like the others.
func inMemory(program string) contender {
	c := service(program)
	c.name += ", keeping nothing"
	c.command = func(_, address string) (*exec.Cmd, error) {
		return standalone(program, address, "-data", "", "-history-days", "0"), nil
	}
	return c
}

func standalone(program, address string, args ...string) *exec.Cmd {
	return exec.Command(program, append(args, "-ws-addr", address, "-http-addr", "127.0.0.1:0", "-management-addr", "")...)
}

var nchan = contender{
	name:     "Nchan (nginx)",
	protocol: wire.Echo,
	path:     "/all",
	missing:  func(string) error { return errors.Join(found("nginx"), exists(nchanModule)) },
	command: func(dir, address string) (*exec.Cmd, error) {
		config := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, nchanModule, dir, address), 0o600); err != nil {
			return nil, err
		}
		return exec.Command("nginx", "-e", "stderr", "-p", dir, "-c", config), nil
	},
}

const (
	// nchanModule is where Debian's libnginx-mod-nchan installs it.
	nchanModule = "/usr/lib/nginx/modules/ngx_nchan_module.so"

	nginxConfig = `load_module %s;
daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid %s/nginx.pid;
error_log stderr crit;
events { worker_connections 19000; multi_accept on; }
http {
  access_log off;
  server {
    listen %s backlog=4096;
    location = /all {
      nchan_pubsub websocket;
      nchan_channel_id all;
      nchan_message_buffer_length 100;
      nchan_subscriber_first_message newest;
    }
  }
}
`
)

//go:embed ws.js
var wsProgram []byte

var ws = contender{
	name:     "Node, npm ws",
	protocol: wire.Echo,
	path:     "/",
	missing: func(string) error {
		return errors.Join(found("node"), exists(filepath.Join(testenv.NodeModules(), "ws")))
	},
	command: func(dir, address string) (*exec.Cmd, error) {
		program := filepath.Join(dir, "ws.js")
		if err := os.WriteFile(program, wsProgram, 0o600); err != nil {
			return nil, err
		}
		server := exec.Command("node", program, address)
		server.Env = append(os.Environ(), "NODE_PATH="+testenv.NodeModules())
		return server, nil
	},
}

// centrifuge is a separate module, built when it is measured.
var centrifuge = contender{
	name:     "Go, centrifuge",
	protocol: wire.Centrifuge,
	path:     "/",
	missing: func(dir string) error {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, "centrifuge"), ".")
		build.Dir = filepath.Join(testenv.Root(), "integration/tools/comparison/centrifuge")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w: %s", err, testenv.Tail(string(out)))
		}
		return nil
	},
	command: func(dir, address string) (*exec.Cmd, error) {
		return exec.Command(filepath.Join(dir, "centrifuge"), address), nil
	},
}

func found(program string) error {
	_, err := exec.LookPath(program)
	return err
}

func exists(path string) error {
	_, err := os.Stat(path)
	return err
}
