package template_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"serverless-websocket/integration/environments/testenv"
)

// settingRow is a row of the table: name, default and value in prod.
var settingRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\| ([^|]+) \\|")

// documented returns the settings of a stage as docs/aws.md has them.
func documented(t *testing.T, stage string) map[string]string {
	t.Helper()
	page := string(readFile(t, filepath.Join(testenv.Root(), "docs", "aws.md")))
	column := 2
	if stage == "prod" {
		column = 3
	}
	found := map[string]string{}
	for _, row := range settingRow.FindAllStringSubmatch(page, -1) {
		found[row[1]] = strings.Trim(strings.TrimSuffix(row[column], "none"), "`") // `none` is a value
	}
	return found
}

func TestSettingsAreDocumented(t *testing.T) {
	for stage, p := range packages(t) {
		if diff := cmp.Diff(documented(t, stage), p.defaults()); diff != "" {
			t.Errorf("docs/aws.md does not have the parameters of %s in serverless.yml (-docs +parameters):\n%s", stage, diff)
		}
	}
}

// Everyone who deploys or runs the service must see this first.
func TestReadersAreWarnedFirst(t *testing.T) {
	for _, page := range []string{"README.md", "docs/aws.md"} {
		text := string(readFile(t, filepath.Join(testenv.Root(), page)))
		start, _, _ := strings.Cut(text, "\n## ")
		if !strings.Contains(strings.Join(strings.Fields(start), " "), "can connect and send to everyone, unless it is deployed with `auth=jwt`") {
			t.Errorf("%s does not begin with a warning:\n%s", page, start)
		}
	}
}

// A stage refuses the load generator's clients if they connect faster than its rate.
func TestDocumentedLoadIsWhatDevTakes(t *testing.T) {
	rate := packages(t)["dev"].defaults()["throttleRate"]
	want := "dev takes " + rate + " (`throttleRate`): say `CONNECT_RATE=" + rate + "`"
	if page := readFile(t, filepath.Join(testenv.Root(), "docs/performance.md")); !strings.Contains(string(page), want) {
		t.Errorf("docs/performance.md does not say: %s", want)
	}
}

// defaults returns the parameters of the stage in serverless.yml.
func (p packaged) defaults() map[string]string {
	values := map[string]string{}
	for _, section := range []string{"default", p.stage} {
		for name, value := range p.params[section] {
			values[name] = fmt.Sprint(value)
		}
	}
	return values
}

// settings returns the parameters that the stage was packaged with.
func (p packaged) settings() map[string]string {
	values := p.defaults()
	for _, param := range stages[p.stage] {
		if name, value, ok := strings.Cut(param, "="); ok {
			values[name] = value
		}
	}
	return values
}

// wrongSettings checks that each parameter arrives where it takes effect.
func wrongSettings(t template) []string {
	settings, uses := shared.packages[t.stage()].settings(), usesOfSettings(t)
	wrong := t.unmet(
		expectation{"Conditions/HasAlarmEmail/Fn::Not/0/Fn::Equals/1", `""`},
		expectation{"Conditions/TracingActive/Fn::Equals/1", `"Active"`},
		expectation{"Conditions/CreateAccountLogRole/Fn::Equals/1", `"create"`},
		expectation{"Conditions/HasHistory", text(map[string]any{
			"Fn::Not": []any{map[string]any{"Fn::Equals": []string{settings["historyDays"] + " days", "0 days"}}},
		})},
		expectation{"Conditions/HasDomainName/Fn::Not/0/Fn::Equals/1", `""`},
		expectation{"Conditions/HasJwtSecret/Fn::Not/0/Fn::Equals/1", `""`},
	)
	for name, value := range settings {
		for _, path := range uses[name] {
			if got := fmt.Sprint(t.at(path)); got != value {
				wrong = append(wrong, fmt.Sprintf("%s is %q, but %s is %q", name, value, path, got))
			}
		}
	}
	if names, used := slices.Sorted(maps.Keys(settings)), slices.Sorted(maps.Keys(uses)); !slices.Equal(names, used) {
		wrong = append(wrong, fmt.Sprintf("the parameters are %v, used are %v", names, used))
	}
	return wrong
}

func usesOfSettings(t template) map[string][]string {
	uses := map[string][]string{
		"fanOutMemory":      {fanOut + "MemorySize"},
		"fanOutConcurrency": {fanOut + "Environment/Variables/FAN_OUT_CONCURRENCY"},
		"postsInFlight":     {fanOut + "Environment/Variables/POSTS_IN_FLIGHT"},
		"postsPerSecond":    {fanOut + "Environment/Variables/POSTS_PER_SECOND"},
		"channelPercent":    {fanOut + "Environment/Variables/CHANNEL_PERCENT/Fn::If/1"},
		"maxRooms":          {"Resources/RoomsLambdaFunction/Properties/Environment/Variables/MAX_ROOMS"},
		"historyDays":       {sender + "Environment/Variables/HISTORY_DAYS"},
		"confirmGoneAfter":  {fanOut + "Environment/Variables/CONFIRM_GONE_AFTER"},
		"batchWindow":       {jobsSource + "MaximumBatchingWindowInSeconds"},
		"batchSize":         {jobsSource + "BatchSize"},
		"auth":              {"Conditions/TokensRequired/Fn::Equals/0"}, // see wrongAuthorizer
		"jwtSecretParameter": {authorizer + "Environment/Variables/JWT_SECRET_PARAMETER",
			"Conditions/HasJwtSecret/Fn::Not/0/Fn::Equals/0"},
		"jwksUrl":        {authorizer + "Environment/Variables/JWKS_URL"},
		"jwtIssuer":      {authorizer + "Environment/Variables/JWT_ISSUER"},
		"jwtAudience":    {authorizer + "Environment/Variables/JWT_AUDIENCE"},
		"origins":        {authorizer + "Environment/Variables/ORIGINS"},
		"broadcastBy":    {sender + "Environment/Variables/BROADCAST_BY"},
		"throttleRate":   {stage + "DefaultRouteSettings/ThrottlingRateLimit"},
		"throttleBurst":  {stage + "DefaultRouteSettings/ThrottlingBurstLimit"},
		"alarmEmail":     {"Conditions/HasAlarmEmail/Fn::Not/0/Fn::Equals/0", "Resources/AlarmSubscription/Properties/Endpoint"},
		"tracing":        {"Conditions/TracingActive/Fn::Equals/0"},
		"accountLogRole": {"Conditions/CreateAccountLogRole/Fn::Equals/0"},
		"domainName":     {"Conditions/HasDomainName/Fn::Not/0/Fn::Equals/0", domain + "DomainName"},
		"certificateArn": {domain + "DomainNameConfigurations/0/CertificateArn"},
	}
	for _, name := range []string{"FanOut", "History", "Rooms"} {
		uses["historyDays"] = append(uses["historyDays"], "Resources/"+name+"LambdaFunction/Properties/Environment/Variables/HISTORY_DAYS")
	}
	for name := range t.functions() {
		function := "Resources/" + name + "LambdaFunction/Properties/"
		uses["logLevel"] = append(uses["logLevel"], function+"LoggingConfig/ApplicationLogLevel")
		uses["tracing"] = append(uses["tracing"], function+"TracingConfig/Mode")
		if name != "FanOut" {
			uses["memory"] = append(uses["memory"], function+"MemorySize")
		}
	}
	for id := range t.ofType("AWS::Logs::LogGroup") {
		uses["logRetentionDays"] = append(uses["logRetentionDays"], "Resources/"+id+"/Properties/RetentionInDays")
	}
	return uses
}
