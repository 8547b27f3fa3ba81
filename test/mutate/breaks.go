package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A file of breaks has for each of them
//
//	== what is broken
//	file: modules/feed/rank/score.go
//	test: modules/feed/rank TestThatMustFail
//	- the old lines, as they stand
//	+ the lines in their place
//
// Lines that begin with # say something to readers. The old lines stand in the file exactly once.
func readBreaks(dir string) (all []breakage, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no breaks in %s: run it at the top of the repository", dir)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		more, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, more...)
	}
	return all, nil
}

func parse(text string) (all []breakage, err error) {
	var now *breakage
	for n, line := range strings.Split(text, "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		switch {
		case kind == "==":
			all = append(all, breakage{name: rest})
			now = &all[len(all)-1]
		case line == "" || kind == "#":
		case now == nil:
			return nil, fmt.Errorf("line %d: want == and a name first", n+1)
		case kind == "file:":
			now.file = rest
		case kind == "test:":
			now.pkg, now.test, _ = strings.Cut(rest, " ")
		case kind == "-":
			now.old += rest + "\n"
		case kind == "+":
			now.broken += rest + "\n"
		default:
			return nil, fmt.Errorf("line %d: want file:, test:, - or +", n+1)
		}
	}
	for _, b := range all {
		if b.file == "" || b.test == "" || b.old == "" || b.old == b.broken {
			return nil, fmt.Errorf("%q: want file, test, and lines that differ", b.name)
		}
	}
	return all, nil
}
