package main

import (
	"fmt"
	"time"

	"serverless-websocket/integration/tools/load/report"
	"serverless-websocket/integration/tools/procstat"
)

// server watches the process of -pid. The zero server watches none.
type server struct {
	pid               int
	atRest, connected int64 // bytes of memory before the clients connected, and after
	cpu               time.Duration
	err               error // the first one
}

func (s *server) usage() (u procstat.Usage) {
	if s.pid == 0 || s.err != nil {
		return u
	}
	u, s.err = procstat.Of(s.pid)
	return u
}

// checkProcess fails early if the process cannot be watched.
func checkProcess(pid int) error {
	s := server{pid: pid}
	s.usage()
	return s.failure()
}

// connecting records what the server needs for idle clients.
func (s *server) connecting(connect func() error) error {
	s.atRest = s.usage().Memory
	err := connect()
	s.connected = s.usage().Memory
	return err
}

// sending records what the server needs during sending.
func (s *server) sending(send func()) {
	before := s.usage().CPU
	send()
	s.cpu = s.usage().CPU - before
}

// report is nil when no server was watched.
func (s *server) report(clients, delivered int) *report.Server {
	if s.pid == 0 || s.err != nil {
		return nil
	}
	r := &report.Server{
		CPUSeconds: s.cpu.Seconds(), BytesAtRest: s.atRest, BytesConnected: s.connected,
		BytesPerConnection: float64(s.connected-s.atRest) / float64(max(1, clients)),
	}
	if delivered > 0 {
		r.PerDelivery = float64(s.cpu.Microseconds()) / float64(delivered)
	}
	return r
}

// failure says why the server could not be watched.
func (s *server) failure() error {
	if s.err != nil {
		return fmt.Errorf("watch process %d: %w", s.pid, s.err)
	}
	return nil
}
