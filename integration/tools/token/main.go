// Command token prints a token for trying a service that requires them, signed with the
// secret of the service, and how to connect with it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/adapters/flags"
	"serverless-websocket/domain"
)

// settings are the values of the flags, and the variables of the service.
type settings struct {
	user, scope, url         string
	ttl                      time.Duration
	secret, issuer, audience string
}

func main() {
	s := settings{
		secret: os.Getenv("SWS_JWT_SECRET"), issuer: os.Getenv("SWS_JWT_ISSUER"), audience: os.Getenv("SWS_JWT_AUDIENCE"),
	}
	flag.StringVar(&s.user, "user", "", "`name` of the user")
	flag.StringVar(&s.scope, "scope", "", "`permissions` with spaces between them, such as broadcast; without any the service's own settings decide")
	flag.DurationVar(&s.ttl, "ttl", time.Hour, "how long the token is valid")
	flag.StringVar(&s.url, "url", "ws://localhost:3001", "`address` of the service, for the example")
	flags.Require(flag.CommandLine, "ttl", "above 0", flags.Positive[time.Duration])
	flags.MustParse("token")
	if err := run(s, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "token: %v\n", err)
		os.Exit(1)
	}
}

func run(s settings, out io.Writer) error {
	if !domain.ValidUser(s.user) {
		return errors.New("name a user: make token USER=alice")
	}
	if s.secret == "" {
		return errors.New("SWS_JWT_SECRET is not set: it is the secret that the service has")
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, s.claims()).SignedString([]byte(s.secret))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n\nnpx wscat -c %s -H \"Authorization: Bearer %s\"\n", token, s.url, token)
	return err
}

func (s settings) claims() jwt.MapClaims {
	claims := jwt.MapClaims{"sub": s.user, "exp": time.Now().Add(s.ttl).Unix()}
	for name, value := range map[string]string{"scope": s.scope, "iss": s.issuer, "aud": s.audience} {
		if value != "" {
			claims[name] = value
		}
	}
	return claims
}
