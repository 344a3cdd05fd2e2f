package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// healthTimeout is how long a service can take to answer GET /ping.
const healthTimeout = 3 * time.Second

// checkHealth checks that the service at the HTTP address answers. It connects directly,
// ignoring proxies in the environment.
func checkHealth(address string) error {
	client := &http.Client{Timeout: healthTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + reachable(address) + "/ping")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /ping at %s: %s", address, response.Status)
	}
	return nil
}

// reachable is the address at which to reach a local service that listens on the given
// one: without a host, or with an unspecified one, it listens on all.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return address
}
