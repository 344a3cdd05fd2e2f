// Package recipe checks the recipe for a new route in CONTRIBUTING.md by following it: a
// copy of the repository gets the route echo.
package recipe

import (
	"context"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"serverless-websocket/integration/environments/testenv"
)

// patience only ends what hangs.
const patience = time.Minute

// TestRecipeForARoute adds the route echo to a copy of the repository, step by step as
// CONTRIBUTING.md says.
func TestRecipeForARoute(t *testing.T) {
	testenv.NodeBin(t, "sls")
	c := newCheckout(t)

	c.add("echo")
	c.insert("adapters/lambdaevent/routes.go", `"sendMessage":  {`,
		"\t\t\"echo\":         {Function: \"echo\", Handler: u.Echo().Handle, Replies: true},\n")
	c.insert("adapters/lambdaevent/routes.go", "// SendMessage returns",
		"// Echo returns the handler of echo.\nfunc (u UseCases) Echo() *Echo { return &Echo{Log: u.Log} }\n\n")
	c.succeeds("go", "vet", "./domain/...", "./adapters/lambdaevent", "./functions/...")
	c.succeeds("go", "test", "./adapters/lambdaevent", "./integration/architecture")
	c.succeeds("make", "gofmt")
	if got, want := c.ask(t, `{"action":"echo","content":{"to":"all"},"ref":"r"}`),
		`{"echo":{"content":{"to":"all"},"ref":"r"}}`; got != want {
		t.Errorf("standalone answers %s, want %s", got, want)
	}

	templateTests := []string{"test", "./integration/template", "-run", "^TestTemplate$"}
	c.fails([]string{"no route echo", "in functions/ are [authenticate authorizer connectionmanager defaultmessage echo"}, "go", templateTests...)
	c.write("serverless.yml", withEcho(c.read("serverless.yml")))
	c.fails([]string{"differs from testdata/roles.json", "differs from testdata/alarms.json", "EchoRole"}, "go", templateTests...)
	for _, name := range []string{"integration/template/testdata/roles.json", "integration/template/testdata/alarms.json"} {
		golden, err := goldenWithEcho(c.read(name))
		if err != nil {
			t.Fatal(err)
		}
		c.write(name, golden)
	}
	c.succeeds("go", templateTests...)

	for _, name := range c.changes() {
		if !c.names(name) {
			t.Errorf("the recipe does not name %s", name)
		}
	}
	t.Logf("%d files: %v", len(c.changes()), c.changes())
}

// ask starts the standalone service of the copy and returns its answer to a frame.
func (c *checkout) ask(t *testing.T, frame string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "standalone")
	c.succeeds("go", "build", "-o", binary, "./functions/standalone")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	process, address, err := testenv.Serve(ctx, func(address string) (*exec.Cmd, error) {
		return exec.Command(binary, "-ws-addr", address, "-http-addr", "127.0.0.1:0", "-management-addr", "127.0.0.1:0", "-data", ""), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer process.Stop()
	conn, _, err := websocket.Dial(ctx, "ws://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
	_, answer, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// names reports whether the recipe names a file, or a folder that it is in. There,
// <name> stands for the route's.
func (c *checkout) names(file string) bool {
	_, recipe, _ := strings.Cut(c.read("CONTRIBUTING.md"), "\n## Adding a route\n")
	recipe, _, _ = strings.Cut(recipe, "\n## ")
	named := map[string]bool{}
	for _, quoted := range regexp.MustCompile("`[^`]+`|[a-zA-Z.]+\\.yml").FindAllString(recipe, -1) {
		named[strings.ReplaceAll(strings.Trim(quoted, "`"), "<name>", "echo")] = true
	}
	for ; file != "."; file = path.Dir(file) {
		if named[file] {
			return true
		}
	}
	return false
}
