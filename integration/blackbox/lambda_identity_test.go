package blackbox

import (
	"strings"
	"testing"
)

func TestLambdaIdentity(t *testing.T) {
	identitySuite(t, func(t *testing.T, i identity) *target {
		return startLambda(t, identifiedLambda(i)).target
	})
}

// secretParameter is the name of the parameter with jwtSecret.
const secretParameter = "/test/jwt-secret"

// identifiedLambda configures a stage that requires tokens.
func identifiedLambda(i identity) lambdaConfig {
	cfg := lambdaConfig{
		params:    []string{"auth=jwt", "jwtSecretParameter=" + secretParameter, "jwtAudience=chat", "logLevel=DEBUG"},
		workers:   1,
		secrets:   map[string]string{secretParameter: jwtSecret},
		variables: map[string][]string{"authorizer": {"ORIGINS=" + i.origins}},
	}
	if i.keySet != "" {
		keySet := []string{"JWT_SECRET_PARAMETER=", "JWKS_URL=" + i.keySet}
		cfg.variables["authorizer"] = append(cfg.variables["authorizer"], keySet...)
		cfg.variables["authenticate"] = keySet
	}
	if i.maxRooms != "" {
		cfg.variables["rooms"] = []string{"MAX_ROOMS=" + i.maxRooms}
	}
	if i.broadcastBy != "" {
		cfg.variables["sendmessage"] = []string{"BROADCAST_BY=" + i.broadcastBy}
	}
	return cfg
}

// An authorizer that cannot read its secret lets no one connect, and says why.
func TestAuthorizerWithoutItsSecret(t *testing.T) {
	cfg := identifiedLambda(identity{})
	cfg.secrets = nil
	s := startLambda(t, cfg)
	if _, status := handshake(t, s.with(token(t, "alice", nil)).webSocketURL, nil); status != 500 {
		t.Errorf("status %d, want 500", status)
	}
	if line := s.logs.await(t, "function not started", "level", "ERROR"); !strings.Contains(line.text("error"), secretParameter) {
		t.Errorf("logged %v, want an error that names %s", line, secretParameter)
	}
}
