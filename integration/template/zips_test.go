package template_test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"path/filepath"
	"strings"
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
}

// A zip that changed with the time of day would deploy every function anew. The
// zips are made again for each stage.
func TestZipsAreReproducible(t *testing.T) {
	made := packages(t)
	for artifact, first := range made["dev"].zips {
		if !bytes.Equal(first, made["prod"].zips[artifact]) {
			t.Errorf("%s differs from one build to the next", artifact)
		}
	}
}

// checkZip checks that the zip holds an executable for arm64 named bootstrap,
// and nothing else.
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
	return checkExecutable(archive.File[0])
}

func checkExecutable(file *zip.File) error {
	r, err := file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	program, err := io.ReadAll(r)
	if err != nil {
		return err
	}
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
	return nil
}

func TestCheckZipCanFail(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		mode uint32
		want string
	}{
		"other name":     {"fanout", 0o755, `"fanout"`},
		"not executable": {"bootstrap", 0o644, "mode"},
		"no program":     {"bootstrap", 0o755, "bad magic"},
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
