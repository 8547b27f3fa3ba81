package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// version is a program that was built from a commit.
type version struct {
	name    string // its commit, and what it is called in logs
	program string
}

// build makes both programs: the one before from the commit in git, this one from the files as they are.
func build(ctx context.Context, o options) (before, after version, err error) {
	root, err := output(ctx, "", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return before, after, fmt.Errorf("the version before is built from git: %w", err)
	}
	commit, err := output(ctx, root, "git", "rev-parse", "--short=8", "--verify", o.before+"^{commit}")
	if err != nil {
		return before, after, fmt.Errorf("-before %s: is it in this clone? a shallow one has it not: %w", o.before, err)
	}
	sources := filepath.Join(o.dir, "before")
	if err := os.Mkdir(sources, 0o755); err != nil {
		return before, after, err
	}
	archive := filepath.Join(o.dir, "before.tar")
	if _, err := output(ctx, root, "git", "archive", "--output", archive, commit); err != nil {
		return before, after, err
	}
	if _, err := output(ctx, sources, "tar", "-xf", archive); err != nil {
		return before, after, err
	}
	before = version{commit, filepath.Join(o.dir, "feedrank-before")}
	if _, err := output(ctx, sources, "go", "build", "-buildvcs=false", "-o", before.program, "."); err != nil {
		return before, after, fmt.Errorf("build %s: %w", commit, err)
	}
	after.program = filepath.Join(o.dir, "feedrank-after")
	if after.name, err = output(ctx, root, "git", "describe", "--always", "--dirty", "--abbrev=8"); err != nil {
		return before, after, err
	}
	if _, err := output(ctx, root, "go", "build", "-o", after.program, "."); err != nil {
		return before, after, fmt.Errorf("build this version: %w", err)
	}
	return before, after, nil
}

// output runs a command in a folder.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return outputOf(cmd)
}

// outputOf is what a command prints, and its error with what it said.
func outputOf(cmd *exec.Cmd) (string, error) {
	text, err := cmd.CombinedOutput()
	said := strings.TrimSpace(string(text))
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said)
	}
	return said, nil
}
