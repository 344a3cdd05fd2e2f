package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	build := func(main string) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: main}}
	}
	for _, test := range []struct {
		info    *debug.BuildInfo
		release string
		want    string
	}{
		{build("v0.0.0-20261126010351-467571300c03+dirty"), "", "v0.0.0-20261126010351-467571300c03+dirty, go1.26.0"},
		{build("v1.2.3"), "", "v1.2.3, go1.26.0"},
		{build("v1.2.3"), "v1.2.4", "v1.2.4, go1.26.0"},
		{build("(devel)"), "v1.2.3", "v1.2.3, go1.26.0"},
		{build("(devel)"), "", "unversioned, go1.26.0"},
		{build(""), "", "unversioned, go1.26.0"},
	} {
		if got := describeBuild(test.info, test.release); got != test.want {
			t.Errorf("%+v: %s, want %s", test, got, test.want)
		}
	}
	if got := version(); !strings.Contains(got, ", go") {
		t.Errorf("this is %s", got)
	}
}
