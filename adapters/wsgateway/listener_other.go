//go:build !linux || 386

package wsgateway

import "net"

// ownListener leaves the listener to package net.
func ownListener(l net.Listener) net.Listener { return l }

func (g *Gateway) serveOwn(net.Listener) (bool, error) { return false, nil }
