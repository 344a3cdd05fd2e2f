package blackbox

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// TestDockerfile follows the Dockerfile without Docker: it builds the program with the
// image's command, and runs it with the image's environment and health check.
func TestDockerfile(t *testing.T) {
	image := readImage(t)
	program := filepath.Join(t.TempDir(), "standalone")
	build := exec.Command("sh", "-c", strings.Replace(image.build, "-o /standalone ", "-o '"+program+"' ", 1))
	build.Dir = testenv.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", image.build, err, out)
	}
	image.run = func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		own := command(t)
		cmd.Dir, cmd.Env = own.Dir, own.Env
		return cmd
	}
	_, help, _ := finish(t, image.run("--help"))
	var env []string
	for name, value := range image.env {
		if !strings.Contains(help, "("+name+")") || !strings.HasPrefix(value, ":") {
			t.Errorf("ENV %s=%s: the program has no such variable, or only listens within the container", name, value)
		}
		env = append(env, name+"=127.0.0.1:0") // free ports, local to this machine
	}
	service := image.run("-management-addr", "127.0.0.1:0")
	service.Env = append(service.Env, env...)
	running := launch(t, service)
	if data, _ := filepath.Rel(service.Dir, printed(running.process.Output(), "Data")); filepath.Join(image.dir, data) != image.volume ||
		image.writable != image.volume {
		t.Errorf("data is in %s of %s, the volume is %s, and the user can write to %s", data, image.dir, image.volume, image.writable)
	}

	address := "SWS_HTTP_ADDR=" + strings.TrimPrefix(running.httpURL, "http://")
	if code, out := image.health(t, address); code != 0 || out != "healthy\n" {
		t.Errorf("health of a running service: exit code %d, %s", code, out)
	}
	if code, out := image.health(t, "SWS_HTTP_ADDR=127.0.0.1:1"); code != 1 {
		t.Errorf("health without a service: exit code %d, %s", code, out)
	}
}

// TestDockerfileHasTheModulesGo keeps the image from downloading another Go.
func TestDockerfileHasTheModulesGo(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(testenv.Root(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)
	if got := readImage(t).goVersion; want == nil || got != string(want[1]) {
		t.Errorf("the image has Go %s, but go.mod requires %s", got, want[1])
	}
}

// image is the content of the Dockerfile.
type image struct {
	goVersion, build string
	env              map[string]string
	dir              string // in which the program runs
	volume, writable string // what outlives a container, and what the program can write to
	check            []string
	run              func(args ...string) *exec.Cmd
}

func readImage(t *testing.T) image {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(testenv.Root(), "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	found := func(pattern string) string {
		t.Helper()
		match := regexp.MustCompile("(?m)^" + pattern + "$").FindSubmatch(source)
		if match == nil {
			t.Fatalf("the Dockerfile has no line %s", pattern)
		}
		return string(match[1])
	}
	i := image{
		goVersion: found(`FROM golang:(\S+) AS build`),
		build:     found(`RUN (.*go build.*)`),
		env:       map[string]string{},
		dir:       found(`WORKDIR (.*)\nVOLUME .*`),
		volume:    found(`VOLUME (.*)`),
		writable:  found(`COPY --from=build --chown=nonroot:nonroot /data (.*)`),
	}
	for setting := range strings.FieldsSeq(found(`ENV (.*)`)) {
		name, value, _ := strings.Cut(setting, "=")
		i.env[name] = value
	}
	if err := json.Unmarshal([]byte(found(`HEALTHCHECK .*CMD (.*)`)), &i.check); err != nil {
		t.Fatal(err)
	}
	var entry []string
	if err := json.Unmarshal([]byte(found(`ENTRYPOINT (.*)`)), &entry); err != nil || len(entry) != 1 || entry[0] != i.check[0] {
		t.Fatalf("the entry point is %v, the health check %v, error %v", entry, i.check, err)
	}
	return i
}

// health runs the image's health check.
func (i image) health(t *testing.T, variable string) (code int, output string) {
	t.Helper()
	check := i.run(i.check[1:]...)
	check.Env = append(check.Env, variable)
	code, stdout, stderr := finish(t, check)
	return code, stdout + stderr
}
