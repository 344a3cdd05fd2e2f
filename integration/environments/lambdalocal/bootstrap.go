package lambdalocal

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const bootstrapName = "bootstrap"

// Unpack unpacks the executable, with its mode, from the zip file of a function
// into a folder and returns its path.
func Unpack(file, dir string) (bootstrap string, err error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", file, err)
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if entry.Name == bootstrapName {
			to := filepath.Join(dir, bootstrapName)
			return to, extract(entry, to)
		}
	}
	return "", fmt.Errorf("%s has no file named %s", file, bootstrapName)
}

func extract(entry *zip.File, to string) error {
	from, err := entry.Open()
	if err != nil {
		return fmt.Errorf("unpack %s: %w", entry.Name, err)
	}
	defer from.Close()
	file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, entry.Mode())
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, from); err != nil {
		file.Close()
		return fmt.Errorf("unpack %s: %w", entry.Name, err)
	}
	return file.Close()
}
