package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// without stands in for the package console in a binary that has none: it is what the rest of the program calls.
//
//go:embed without.go.txt
var without []byte

// measureBinary builds the production binary with and without the console, and says how large each is.
func measureBinary(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "feedrank-size-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	stub := filepath.Join(dir, "without.go")
	if err := os.WriteFile(stub, without, 0o600); err != nil {
		return err
	}
	here, err := filepath.Abs(filepath.Join("modules", "console"))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(here, "*.go"))
	if err != nil {
		return err
	}
	replace := map[string]string{filepath.Join(here, "without.go"): stub}
	for _, file := range files {
		replace[file] = ""
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return err
	}
	with, err := buildSize(ctx, filepath.Join(dir, "with"))
	if err != nil {
		return err
	}
	less, err := buildSize(ctx, filepath.Join(dir, "less"), "-overlay", list)
	if err != nil {
		return err
	}
	const mb, most = 1e6, 3e6
	_, _ = fmt.Fprintf(os.Stdout, "binary               %.2f MB, without the console %.2f MB: %.2f MB are its own\n",
		float64(with)/mb, float64(less)/mb, float64(with-less)/mb)
	if with-less > most {
		return fmt.Errorf("the console makes the binary larger by more than %.0f MB", most/mb)
	}
	return nil
}

// buildSize builds as `make production` does.
func buildSize(ctx context.Context, into string, more ...string) (int64, error) {
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-tags", "production,validator_novalidatefn"},
		append(more, "-o", into, ".")...)
	build := exec.CommandContext(ctx, "go", args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go %v: %w: %s", args, err, out)
	}
	info, err := os.Stat(into)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
