package template_test

import (
	"archive/zip"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
)

func TestZips(t *testing.T) {
	p := packages(t)["dev"]
	if len(p.artifacts) != len(p.template.functions()) {
		t.Errorf("%d artifacts for %d functions", len(p.artifacts), len(p.template.functions()))
	}
	for function, artifact := range p.artifacts {
		if want := strings.ToLower(function) + ".zip"; filepath.Base(artifact) != want {
			t.Errorf("%s is deployed from %s", function, artifact)
		}
		if err := checkZip(p.zips[artifact]); err != nil {
			t.Errorf("%s: %v", artifact, err)
		}
	}
	executables, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	for function, program := range executables {
		if err := checkExecutable(program); err != nil {
			t.Errorf("%s: %v", function, err)
		}
	}
}

// A zip that changed with the time of day would redeploy every function. The zips are
// rebuilt for each stage.
func TestZipsAreReproducible(t *testing.T) {
	made := packages(t)
	for artifact, first := range made["dev"].zips {
		if !bytes.Equal(first, made["prod"].zips[artifact]) {
			t.Errorf("%s differs from one build to the next", artifact)
		}
	}
}

// checkZip checks that the zip holds an executable file named bootstrap, and
// nothing else.
func checkZip(content []byte) error {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return err
	}
	if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" {
		return fmt.Errorf("%d files, the first is %q", len(archive.File), archive.File[0].Name)
	}
	if mode := archive.File[0].Mode(); !mode.IsRegular() || mode&0o111 != 0o111 {
		return fmt.Errorf("bootstrap has the mode %v", mode)
	}
	return nil
}

// programs returns the executables of the functions, from the zips of dev.
var programs = sync.OnceValues(func() (map[string][]byte, error) {
	found := map[string][]byte{}
	for function, artifact := range shared.packages["dev"].artifacts {
		program, err := bootstrap(shared.packages["dev"].zips[artifact])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", artifact, err)
		}
		found[function] = program
	}
	return found, nil
})

// bootstrap returns the executable in a zip.
func bootstrap(content []byte) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	r, err := archive.Open("bootstrap")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// checkExecutable checks that the program is built correctly for Lambda on arm64.
func checkExecutable(program []byte) error {
	parsed, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return err
	}
	if parsed.Machine != elf.EM_AARCH64 {
		return fmt.Errorf("bootstrap is for %v", parsed.Machine)
	}
	if libraries, err := parsed.ImportedLibraries(); err == nil && len(libraries) > 0 {
		return fmt.Errorf("bootstrap needs %v", libraries)
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return err
	}
	return checkBuild(info.Settings)
}

// buildSettings are the functions' build settings: without this machine's paths, the RPC
// mode of old runtimes, and C.
var buildSettings = map[string]string{
	"-trimpath": "true", "-tags": "lambda.norpc", "GOOS": "linux", "GOARCH": "arm64", "CGO_ENABLED": "0",
}

func checkBuild(settings []debug.BuildSetting) error {
	got := map[string]string{}
	for _, setting := range settings {
		got[setting.Key] = setting.Value
	}
	for key, want := range buildSettings {
		if got[key] != want {
			return fmt.Errorf("built with %s=%s, not %s", key, got[key], want)
		}
	}
	return nil
}

func TestCheckBuildCanFail(t *testing.T) {
	for changed := range buildSettings {
		var settings []debug.BuildSetting
		for key, value := range buildSettings {
			if key != changed {
				settings = append(settings, debug.BuildSetting{Key: key, Value: value})
			}
		}
		if err := checkBuild(settings); err == nil || !strings.Contains(err.Error(), changed) {
			t.Errorf("without %s: %v", changed, err)
		}
	}
}

func TestCheckExecutableCanFail(t *testing.T) {
	if err := checkExecutable([]byte("#!/bin/sh exits at once")); err == nil || !strings.Contains(err.Error(), "bad magic") {
		t.Errorf("a script: %v", err)
	}
}

func TestCheckZipCanFail(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		mode uint32
		want string
	}{
		"other name":     {"fanout", 0o755, `"fanout"`},
		"not executable": {"bootstrap", 0o644, "mode"},
	} {
		var content bytes.Buffer
		archive := zip.NewWriter(&content)
		w, err := archive.CreateHeader(&zip.FileHeader{Name: c.file, CreatorVersion: 3 << 8, ExternalAttrs: c.mode << 16})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, "#!/bin/sh exits at once")
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
		if err := checkZip(content.Bytes()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
