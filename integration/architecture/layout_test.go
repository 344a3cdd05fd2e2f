package architecture

import (
	"fmt"
	"slices"
)

const maxLines = 400

var topLevel = []string{"adapters", "clients", "docs", "domain", "functions", "integration", "ports"}

func unknownFolders(t tree) []string {
	var wrong []string
	for _, folder := range t.folders {
		if !slices.Contains(topLevel, folder) {
			wrong = append(wrong, fmt.Sprintf("%s/: the top level has only %v and tools' own folders", folder, topLevel))
		}
	}
	return wrong
}

func longFiles(t tree) []string {
	var wrong []string
	for _, f := range t.files {
		if !f.isTest() && f.lines > maxLines {
			wrong = append(wrong, fmt.Sprintf("%s has %d lines: a file over %d lines covers more than one subject", f.path(), f.lines, maxLines))
		}
	}
	return wrong
}
