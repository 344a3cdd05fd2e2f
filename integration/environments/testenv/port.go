package testenv

import "net"

// FreePort returns a TCP port that was free on 127.0.0.1 a moment ago. Another process
// may take it first: let the server choose (port 0) if it can.
func FreePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
