package main

import (
	"cmp"
	"runtime/debug"
)

// release can be set when the program is built outside of a repository:
// -ldflags "-X main.release=v1.2.3".
var release string

// version is what was built: a release, or what version control knew when the
// program was built, and the version of Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(release, unversioned)
	}
	return describeBuild(info, release)
}

// unversioned is a build that neither -ldflags nor version control says anything
// about, such as one by go run.
const unversioned = "unversioned"

func describeBuild(info *debug.BuildInfo, release string) string {
	built := cmp.Or(release, info.Main.Version)
	if built == "" || built == "(devel)" {
		built = unversioned
	}
	return built + ", " + info.GoVersion
}
