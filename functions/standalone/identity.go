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

// verifier returns what checks tokens; nil without -auth jwt.
func (s settings) verifier(log *slog.Logger) (func(context.Context, string) (domain.Principal, error), error) {
	if s.auth == authNone {
		if s.jwtSecret != "" || s.jwksURL != "" || s.jwtIssuer != "" || s.jwtAudience != "" {
			return nil, errors.New("-jwt-secret, -jwks-url, -jwt-issuer and -jwt-audience need -auth jwt")
		}
		return nil, nil
	}
	verifier, err := jwtauth.New(context.Background(), jwtauth.Config{
		Secret: []byte(s.jwtSecret), KeySet: s.jwksURL, Issuer: s.jwtIssuer, Audience: s.jwtAudience, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("-jwt-secret, -jwks-url: %w", err)
	}
	return verifier.Verify, nil
}

// authorizer returns what decides on handshakes; nil lets everyone connect.
func authorizer(service app.Service) wsgateway.Authorizer {
	if service.Verify == nil {
		return nil
	}
	return service.Authorizer(true).Handle
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
