package template_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

const keySet = "jwksUrl=https://issuer.example/.well-known/jwks.json?tenant=a=b"

// refused are parameters that cannot work, with the expected error; some neighboring
// values that can work have none. The parameters of a case are separated by spaces.
var refused = []struct{ stage, params, want string }{
	{"dev", "batchSize=11", "batchSize is 11: without a batchWindow, the maximum is 10"},
	{"prod", "batchWindow=0", "batchSize is 100: without a batchWindow, the maximum is 10"},
	{"prod", "batchSize=10001", `batchSize is "10001"; it must be a whole number from 1 to 10000`},
	{"dev", "batchWindow=31", `batchWindow is "31"; it must be a whole number from 0 to 30`},
	{"dev", "accountLogRole=created", `accountLogRole is "created"; it must be one of create, existing`},
	{"dev", "tracing=active", `tracing is "active"; it must be one of Active, PassThrough`},
	{"dev", "logLevel=FATAL", `logLevel is "FATAL"; it must be one of DEBUG, INFO, WARN, ERROR`},
	{"dev", "logRetentionDays=10", `logRetentionDays is "10"; it must be one of 1, 3, 5, 7, 14, 30, 60,`},
	{"dev", "logRetentionDays=3653", ""},
	{"dev", "broadcastBy=everyone", `broadcastBy is "everyone"; it must be one of anyone, users, nobody`},
	{"dev", "broadcastBy=nobody", ""},
	{"dev", "postsInFlight=zero", `postsInFlight is "zero"; it must be a whole number from 1 to 1000`},
	{"dev", "postsInFlight=0", `postsInFlight is "0"`},
	{"dev", "postsInFlight=1001", `postsInFlight is "1001"`},
	{"dev", "postsPerSecond=many", `postsPerSecond is "many"; it must be a whole number from 1 to 1000000`},
	{"dev", "channelPercent=0", `channelPercent is "0"; it must be a whole number from 1 to 80`},
	{"dev", "channelPercent=81", `channelPercent is "81"`},
	{"dev", "maxRooms=0", `maxRooms is "0"; it must be a whole number from 1 to 100`},
	{"dev", "historyDays=-1", `historyDays is "-1"; it must be a whole number from 0 to 365`},
	{"dev", "historyDays=366", `historyDays is "366"`},
	{"dev", "historyDays=365", ""},
	{"dev", "confirmGoneAfter=9", `confirmGoneAfter is "9"; it must be a whole number from 10 to 900, or 0.`},
	{"dev", "confirmGoneAfter=901", `confirmGoneAfter is "901"`},
	{"dev", "confirmGoneAfter=00", `confirmGoneAfter is "00"`},
	{"dev", "postsPerSecond=0", `postsPerSecond is "0"`},
	{"dev", "postsPerSecond=1e4", `postsPerSecond is "1e4"`},
	{"dev", "postsPerSecond=010", `postsPerSecond is "010"`},
	{"dev", "postsPerSecond=10.0", `postsPerSecond is "10.0"`},
	{"dev", "postsPerSecond=99999999999999999999", `postsPerSecond is "99999999999999999999"`},
	{"dev", "fanOutConcurrency=5", `fanOutConcurrency is "5"; it must be a whole number from 8 to 1000`},
	{"prod", "fanOutConcurrency=1001", `fanOutConcurrency is "1001"`},
	{"dev", "fanOutConcurrency=-2", `fanOutConcurrency is "-2"`},
	{"dev", "memory=64", `memory is "64"; it must be a whole number from 128 to 10240`},
	{"dev", "memory=128\n", `memory is "128\n"`},
	{"dev", "fanOutMemory=10241", `fanOutMemory is "10241"`},
	{"dev", "throttleRate=0", `throttleRate is "0"`},
	{"dev", "throttleBurst=5001", `throttleBurst is "5001"; it must be a whole number from 1 to 5000`},
	{"dev", "throttleBurst=5000", ""},
	{"dev", "batchSize=10", ""},
	{"prod", "fanOutConcurrency=8", ""},
	{"prod", "batchWindow=30", ""},

	{"prod", "alarmEmail=a=b@example.com", ""},
	{"dev", "alarmEmail=ops.example.com", `alarmEmail is "ops.example.com"; it must be an address such as me@example.com`},
	{"dev", "alarmEmail=ops@", `alarmEmail is "ops@"`},
	{"dev", "alarmEmail=a@b@c", `alarmEmail is "a@b@c"`},

	{"dev", domainName, "domainName is set without certificateArn: a custom domain needs both"},
	{"dev", certificate, "certificateArn is set without domainName"},
	{"dev", domainName + " " + certificate, ""},
	{"dev", "domainName=wss://chat.example.com " + certificate,
		`domainName is "wss://chat.example.com"; it must be a name such as chat.example.com`},
	{"dev", "domainName=Chat.example.com " + certificate, `domainName is "Chat.example.com"`},
	{"dev", "domainName=localhost " + certificate, `domainName is "localhost"`},
	{"dev", "domainName=chat-.example.com " + certificate, `domainName is "chat-.example.com"`},
	{"dev", domainName + " certificateArn=4f1c", `certificateArn is "4f1c"; it must be an ACM ARN`},
	{"dev", domainName + " " + strings.Replace(certificate, "ap-northeast-2", "us-east-1", 1),
		"certificateArn names a certificate in us-east-1, but the API is in ap-northeast-2"},

	{"dev", "auth=yes", `auth is "yes"; it must be one of none, jwt`},
	{"dev", "auth=jwt", "auth is jwt: set jwtSecretParameter or jwksUrl too"},
	{"dev", "auth=jwt " + secretParameter, ""},
	{"dev", "auth=jwt " + keySet, ""},
	{"dev", "auth=jwt " + keySet + " jwtIssuer=https://issuer.example jwtAudience=chat origins=* broadcastBy=users", ""},
	{"dev", "auth=jwt " + keySet + " " + secretParameter, "jwtSecretParameter and jwksUrl are both set"},
	{"dev", secretParameter, "jwtSecretParameter has no effect without auth=jwt"},
	{"dev", keySet, "jwksUrl has no effect without auth=jwt"},
	{"dev", "jwtIssuer=me", "jwtIssuer has no effect without auth=jwt"},
	{"dev", "jwtAudience=chat", "jwtAudience has no effect without auth=jwt"},
	{"dev", "origins=https://example.com", "origins has no effect without auth=jwt"},
	{"dev", "broadcastBy=users", "broadcastBy is users, but no one can sign in without auth=jwt"},
	{"dev", "auth=jwt jwtSecretParameter=jwt-secret", `jwtSecretParameter is "jwt-secret"; it must be the name of an SSM parameter such as`},
	{"dev", "auth=jwt jwtSecretParameter=/chat/*", `jwtSecretParameter is "/chat/*"`},
	{"dev", "auth=jwt jwtSecretParameter=/chat/", `jwtSecretParameter is "/chat/"`},
	{"dev", "auth=jwt jwtSecretParameter=/aws/secret", `jwtSecretParameter is "/aws/secret"`},
	{"dev", "auth=jwt jwksUrl=http://issuer.example/jwks.json", `jwksUrl is "http://issuer.example/jwks.json"; it must be an https URL`},
	{"dev", "auth=jwt jwksUrl=https://me:secret@issuer.example/jwks.json", `jwksUrl is "https://me:secret@`},
	{"dev", "auth=jwt origins=example.com " + keySet, `origins is "example.com"; it must be origins such as https://example.com`},
	{"dev", "auth=jwt origins=https://example.com/ " + keySet, `origins is "https://example.com/"`},
	{"dev", "auth=jwt jwksUrl=https://issuer.example:abc/jwks.json", `jwksUrl is "https://issuer.example:abc/jwks.json"`},
	{"dev", "auth=jwt jwksUrl=https://issuer.example/%zz", `jwksUrl is "https://issuer.example/%zz"`},
	{"dev", "auth=jwt origins=https://example.com:http " + keySet, `origins is "https://example.com:http"`},
	{"dev", `auth=jwt jwksUrl=https://issuer.example\jwks.json`, `jwksUrl is "https://issuer.example\\jwks.json"`},
	{"dev", "auth=jwt origins=https://[1.2.3.4] " + keySet, `origins is "https://[1.2.3.4]"`},
	{"dev", "auth=jwt origins=https://[::1]:8443 " + keySet, ""},
	{"dev", "auth=jwt origins=https://* " + keySet, `origins is "https://*"`},
	{"dev", "auth=jwt origins=https://example.com,,* " + keySet, `origins is "https://example.com,,*"`},
	{"dev", "auth=jwt origins=https://*.example.com,http://localhost:8080,app://desktop " + keySet, ""},

	{"dev", "alarmMail=me@example.com", `There is no parameter "alarmMail". Did you mean alarmEmail?`},
	{"prod", "fanoutmemory=512", `There is no parameter "fanoutmemory". Did you mean fanOutMemory?`},
	{"dev", "colour=red", `There is no parameter "colour". There are accountLogRole, alarmEmail, `},
	{"dev", "constructor=1", `There is no parameter "constructor"`},
	{"dev", "__proto__=1", `There is no parameter "__proto__"`},
	{"dev", "=512", `There is no parameter ""`},
	{"dev", "memory", `The parameter "memory" has no value: give it as --param name=value.`},
	{"dev", "memory=", "The parameter memory is empty: omit it to use its default."},
	{"dev", "alarmEmail=", "The parameter alarmEmail is empty"},
	{"dev", "memory=256 memory=512", "The parameter memory is given more than once."},
	{"dev", "memory=256 fanOutMemory=512", ""},
}

func TestBadParametersAreRefused(t *testing.T) {
	var cases []parameters
	for _, c := range refused {
		cases = append(cases, parameters{Stage: c.stage, Given: strings.Split(c.params, " ")})
	}
	for i, got := range objections(t, cases) {
		c := refused[i]
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s in %s: %q, want a line with %q", c.params, c.stage, got, c.want)
		}
	}
}

// The same rules apply to values in serverless.yml.
func TestBadSectionsAreRefused(t *testing.T) {
	wants := []string{
		`There is no parameter "memroy". Did you mean memory?`,
		`memory is "[256]"`,
		`memory is ""`,
		`memory is "true"`,
		"without a batchWindow",
		"",
		"",
	}
	got := objections(t, []parameters{
		{Own: map[string]any{"memroy": 256}},
		{Own: map[string]any{"memory": []int{256}}},
		{Own: map[string]any{"memory": nil}},
		{Own: map[string]any{"memory": true}},
		{Own: map[string]any{"batchWindow": 0}},
		{Own: map[string]any{"alarmEmail": ""}},
		{Own: map[string]any{"alarmEmail": "${ssm:/ops/mail}", "memory": "${env:MEMORY}"}}, // checked once it is known
	})
	for i, want := range wants {
		if (got[i] == "") != (want == "") || !strings.Contains(got[i], want) {
			t.Errorf("case %d: %q, want a line with %q", i, got[i], want)
		}
	}
}

// Every parameter with a default has a rule: none accepts arbitrary text.
func TestEveryParameterHasARule(t *testing.T) {
	var names []string
	var cases []parameters
	for name := range packages(t)["dev"].params["default"] {
		names = append(names, name)
		cases = append(cases, parameters{Stage: "dev", Given: []string{name + "=no such value"}})
	}
	for i, got := range objections(t, cases) {
		if want := "The parameter " + names[i] + ` is "no such value"; it must be `; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q …", names[i], got, want)
		}
	}
}

// parameters are those of one deployment, besides serverless.yml.
type parameters struct {
	Stage  string         `json:"stage"` // prod, if it is empty
	Region string         `json:"region"`
	Given  []string       `json:"given"`
	Own    map[string]any `json:"own"`
}

// objections returns the complaints of serverless.build.js about each.
func objections(t *testing.T, cases []parameters) []string {
	t.Helper()
	for i := range cases {
		cases[i].Region = "ap-northeast-2"
		if cases[i].Stage == "" {
			cases[i].Stage = "prod"
		}
	}
	input := map[string]any{"params": packages(t)["dev"].params, "cases": cases}
	out := run(t, ".", os.Environ(), testenv.Node(t), filepath.Join("testdata", "parameters.cjs"), text(input))
	var found []string
	if err := json.Unmarshal(out, &found); err != nil || len(found) != len(cases) {
		t.Fatalf("%s: %v", out, err)
	}
	return found
}
