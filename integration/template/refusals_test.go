package template_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// The real framework stops with a one-line reason for any wrong argument, before anything
// is built.
func TestBadArgumentsStopPackaging(t *testing.T) {
	packages(t)
	for _, c := range []struct{ args, want string }{
		{"--param fanOutConcurrency=5", `The parameter fanOutConcurrency is "5"; it must be a whole number from 8 to 1000.`},
		{"--param alarmMail=me@example.com", `There is no parameter "alarmMail". Did you mean alarmEmail?`},
		{"--param alarmEmail=", "The parameter alarmEmail is empty: omit it to use its default."},
		{"--param alarmEmail", `The parameter "alarmEmail" has no value: give it as --param name=value.`},
		{"--param alarmEmail=${sls:stage}", `The parameter alarmEmail is "${sls:stage}"; it must be an address such as`},
		{"--stage under_score", "Invalid stage name. Stage names may contain only ASCII letters, numbers, and hyphens."},
		{"--region seoul", "Configuration error at 'provider.region': must be equal to one of the allowed values [us-east-1,"},
	} {
		args := append([]string{"package", "--package", t.TempDir()}, strings.Fields(c.args)...)
		out := slsFails(t, filepath.Join(shared.dir, "service"), shared.env, args...)
		if errorLine(out) == "" || !strings.HasPrefix(errorLine(out), c.want) || strings.Contains(out, "wrote ") {
			t.Errorf("%s:\n%s\nwant an error %q", c.args, out, c.want)
		}
	}
}

// A value that comes from a variable is checked once it is known.
func TestVariablesInParametersAreChecked(t *testing.T) {
	service := brokenService(t, "serverless.yml", "  prod:\n", "  prod:\n    alarmEmail: ${sls:stage}\n")
	out := slsFails(t, service, shared.env, "package", "--stage", "prod")
	if want := `The parameter alarmEmail is "prod"; it must be an address such as me@example.com, or empty.`; errorLine(out) != want {
		t.Errorf("%s\nwant %s", out, want)
	}
}

func TestFailedBuildIsOneLine(t *testing.T) {
	service := brokenService(t, "functions/ping/main.go", "func main() {", "func main() { undefined()")
	out := slsFails(t, service, shared.env, "package")
	const want = "The functions could not be built; the lines above say why. Nothing was deployed."
	if errorLine(out) != want || !strings.Contains(out, "functions/ping/main.go:") || !strings.Contains(out, "undefined: undefined") {
		t.Errorf("%s\nwant the compiler's complaint and %s", out, want)
	}
}

func TestMissingBuildToolIsOneLine(t *testing.T) {
	packages(t)
	for _, c := range []struct{ missing, want string }{
		{"make", "Building the functions needs make, which does not run here."},
		{"go", "Building the functions needs go, which does not run here."},
	} {
		env := append(slices.Clone(shared.env), "PATH="+pathWithout(t, c.missing))
		out := slsFails(t, filepath.Join(shared.dir, "service"), env, "package", "--package", t.TempDir())
		if errorLine(out) != c.want {
			t.Errorf("%s\nwant %s", out, c.want)
		}
	}
}

// A protected stage is not removed, and the error says how to lift the protection.
func TestRemovalOfAProtectedStageIsRefused(t *testing.T) {
	service := filepath.Join(shared.dir, "service")
	packages(t)
	var mu sync.Mutex // the framework asks for several things at once
	var asked []string
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.FormValue("Action"))
		mu.Unlock()
		_, _ = w.Write([]byte(protectedStack))
	}))
	t.Cleanup(aws.Close)
	env := append(slices.Clone(shared.env), "NODE_OPTIONS=", "AWS_ENDPOINT_URL="+aws.URL,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true")
	line := errorLine(slsFails(t, service, env, "remove", "--stage", "prod"))
	for _, want := range []string{
		`Cannot remove stack "serverless-websocket-prod" because deletion protection is enabled.`,
		"aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name serverless-websocket-prod",
	} {
		if !strings.Contains(line, want) {
			t.Errorf("%q\nwant %q", line, want)
		}
	}
	aws.Close() // and with it all that appends to asked
	if slices.Contains(asked, "DeleteStack") || !slices.Contains(asked, "DescribeStacks") {
		t.Errorf("asked for %q, want DescribeStacks and never DeleteStack", asked)
	}
}

const protectedStack = `<DescribeStacksResponse><DescribeStacksResult><Stacks><member>
<StackName>serverless-websocket-prod</StackName><StackStatus>CREATE_COMPLETE</StackStatus>
<CreationTime>2026-11-26T00:00:00Z</CreationTime><EnableTerminationProtection>true</EnableTerminationProtection>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`

// slsFails returns what the framework prints when it has to fail.
func slsFails(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), packageTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, testenv.NodeBin(t, "sls"), args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Errorf("sls %q: %v, want a failure\n%s", args, err, out)
	}
	return string(out)
}

// errorLine returns the error with which the framework ends, if it is one line and not a
// stack trace.
func errorLine(out string) string {
	_, message, _ := strings.Cut(out, "\nError:\n")
	message, _, _ = strings.Cut(strings.TrimSpace(message), "\n\nLearn more")
	if strings.Contains(message, "\n") || strings.Contains(message, ".js:") {
		return ""
	}
	return message
}

// brokenService is a copy of the service with one text of a file replaced.
func brokenService(t *testing.T, file, old, replacement string) string {
	t.Helper()
	packages(t)
	service := t.TempDir()
	if err := os.CopyFS(service, os.DirFS(filepath.Join(shared.dir, "service"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(service, file)
	changed := strings.Replace(string(readFile(t, path)), old, replacement, 1)
	if !strings.Contains(changed, replacement) {
		t.Fatalf("no %q in %s", old, file)
	}
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	return service
}

// pathWithout returns a folder with all but one of the programs that a build needs.
func pathWithout(t *testing.T, missing string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"node", "sh", "make", "go"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if name != missing {
			if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}
