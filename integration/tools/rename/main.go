// Command rename changes the module path: in both go.mod files, in every import and in
// the editor's settings.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// modulePath matches paths that can be fetched. Without a dot in the first element, the
// go command would look for packages in the standard library.
var modulePath = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_~-]+(\.[A-Za-z0-9_~-]+)*)+$`)

func main() {
	if err := run(".", strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
}

// run renames the module in the folder root.
func run(root, to string) error {
	if !modulePath.MatchString(to) {
		return fmt.Errorf("MODULE is %q: want a path such as github.com/you/serverless-websocket", to)
	}
	from, err := currentPath(root)
	if err != nil || from == to {
		return err
	}
	if uncommitted(root) {
		return errors.New("there are uncommitted changes: commit or stash them first, so that the rename can be undone")
	}
	changes, err := plan(root, from, to)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := os.WriteFile(c.file, c.content, 0o644); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	fmt.Printf("%s is now %s, in %d files\n", from, to, len(changes))
	return nil
}

// uncommitted reports whether git knows of changes. Outside a repository, there are none.
func uncommitted(root string) bool {
	var status *exec.ExitError
	err := exec.Command("git", "-C", root, "diff", "--quiet", "HEAD").Run()
	return errors.As(err, &status) && status.ExitCode() == 1
}
