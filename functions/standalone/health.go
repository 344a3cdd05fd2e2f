package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// healthTimeout is how long a service may take to answer GET /ping.
const healthTimeout = 3 * time.Second

// checkHealth asks the service that listens at the HTTP address whether it answers.
// It connects directly, whatever proxies the environment names.
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

// reachable is where a service on this machine is reached that listens at the
// address: one without a host, or with an unspecified one, listens at all of them.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return address
}
