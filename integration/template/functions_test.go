package template_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"serverless-websocket/integration/environments/testenv"
)

// wrongFunctions checks that there is a function for each composition root except
// standalone, each on the platform that it is built for, with its own role, log group and
// alarm.
func wrongFunctions(t template) []string {
	wrong := unmatchedRoots(t)
	for name, function := range t.functions() {
		for _, complaint := range function.unmet(
			expectation{"Properties/Runtime", `"provided.al2023"`},
			expectation{"Properties/Architectures", `["arm64"]`},
			expectation{"Properties/Handler", `"bootstrap"`},
			expectation{"Properties/Role", arn(name + "Role")},
			expectation{"Properties/LoggingConfig/LogFormat", `"JSON"`},
		) {
			wrong = append(wrong, name+": "+complaint)
		}
		wrong = append(wrong, t.unmet(
			expectation{"Resources/" + name + "LogGroup/Properties/LogGroupName",
				text(fmt.Sprintf("/aws/lambda/%s", function.at("Properties/FunctionName")))},
			expectation{"Resources/" + name + "ThrottlesAlarm/Properties/Dimensions/0/Value", ref(name + "LambdaFunction")},
		)...)
		if code := function.text("Properties/Code/S3Key"); !strings.HasSuffix(code, "/"+strings.ToLower(name)+`.zip"`) {
			wrong = append(wrong, fmt.Sprintf("%s runs the code %s", name, code))
		}
		if seconds := function.number("Properties/Timeout"); seconds < 1 || seconds > 10 && name != "FanOut" {
			wrong = append(wrong, fmt.Sprintf("%s can run for %d s while a client waits", name, seconds))
		}
	}
	// fanout.Options.OpenGrace is 10 s, which must be longer than $connect can take.
	if seconds := t.number("Resources/ConnectionManagerLambdaFunction/Properties/Timeout"); seconds > 8 {
		wrong = append(wrong, fmt.Sprintf("ConnectionManager can run for %d s: connections count as open after 10", seconds))
	}
	return wrong
}

// unmatchedRoots compares the functions with the folders of functions/.
func unmatchedRoots(t template) []string {
	mains, err := filepath.Glob(filepath.Join(testenv.Root(), "functions", "*", "main.go"))
	if err != nil {
		return []string{err.Error()}
	}
	roots := map[string]bool{}
	for _, main := range mains {
		roots[filepath.Base(filepath.Dir(main))] = true
	}
	delete(roots, "standalone")
	var deployed []string
	for name := range t.functions() {
		deployed = append(deployed, strings.ToLower(name))
	}
	slices.Sort(deployed)
	if want := slices.Sorted(maps.Keys(roots)); !slices.Equal(deployed, want) {
		return []string{fmt.Sprintf("deployed are %v, in functions/ are %v", deployed, want)}
	}
	return nil
}

// sources returns the paths of the Go files in a folder of the module and below
// it, without tests.
func sources(dir string) ([]string, error) {
	root := filepath.Join(testenv.Root(), dir)
	var paths []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}
