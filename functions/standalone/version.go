package main

import (
	"cmp"
	"runtime/debug"
)

// release can be set when building outside of a repository: -ldflags "-X
// main.release=v1.2.3".
var release string

// version identifies the build: a release, or the version control state at build time,
// and the version of Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(release, unversioned)
	}
	return describeBuild(info, release)
}

// unversioned is a build without a version from -ldflags or version control, such as one
// by go run.
const unversioned = "unversioned"

func describeBuild(info *debug.BuildInfo, release string) string {
	built := cmp.Or(release, info.Main.Version)
	if built == "" || built == "(devel)" {
		built = unversioned
	}
	return built + ", " + info.GoVersion
}
