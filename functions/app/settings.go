package app

import (
	"errors"
	"strings"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/domain"
)

// broadcasters are the values of the setting that says who may send to everyone.
var broadcasters = map[string]domain.Broadcasters{"anyone": domain.Anyone, "users": domain.Users, "nobody": domain.Nobody}

// Policy returns the policy of a service on which those may send to everyone: "anyone",
// "users" or "nobody".
func Policy(broadcastBy string) (domain.Policy, error) {
	by, ok := broadcasters[broadcastBy]
	if !ok {
		return domain.Policy{}, errors.New("want anyone, users or nobody")
	}
	return domain.Policy{BroadcastBy: by}, nil
}

// Origins splits a list of origins with commas between them.
func Origins(text string) (all lambdaevent.Origins) {
	for origin := range strings.SplitSeq(text, ",") {
		if origin = strings.TrimSpace(origin); origin != "" {
			all = append(all, origin)
		}
	}
	return all
}
