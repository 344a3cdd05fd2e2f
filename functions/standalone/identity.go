package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"serverless-websocket/adapters/jwtauth"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/domain"
	"serverless-websocket/functions/app"
)

// The values of -auth.
const (
	authNone = "none"
	authJWT  = "jwt"
)

func (s settings) policy() domain.Policy {
	policy, _ := app.Policy(s.broadcastBy) // parse has checked it
	return policy
}

// authorizer returns what decides on handshakes; nil lets everyone connect.
func (s settings) authorizer(service app.Service) (wsgateway.Authorizer, error) {
	if s.auth == authNone {
		if s.jwtSecret != "" || s.jwksURL != "" || s.jwtIssuer != "" || s.jwtAudience != "" {
			return nil, errors.New("-jwt-secret, -jwks-url, -jwt-issuer and -jwt-audience need -auth jwt")
		}
		return nil, nil
	}
	verifier, err := jwtauth.New(context.Background(), jwtauth.Config{
		Secret: []byte(s.jwtSecret), KeySet: s.jwksURL, Issuer: s.jwtIssuer, Audience: s.jwtAudience, Log: service.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("-jwt-secret, -jwks-url: %w", err)
	}
	service.Verify = verifier.Verify
	return service.Authorizer(true).Handle, nil
}

// onlyLocal reports whether only this machine can reach an address to listen on.
func onlyLocal(address string) bool {
	host, _, _ := net.SplitHostPort(address) // parse has checked it
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// warnOfOpenness logs that strangers can send to everyone, if other machines can connect.
func (s settings) warnOfOpenness(log *slog.Logger) {
	if s.auth == authNone && s.policy().BroadcastBy == domain.Anyone && !onlyLocal(s.wsAddr) {
		log.Warn("anyone who reaches this address can connect and send to everyone", "address", s.wsAddr, "see", "-auth jwt")
	}
}
