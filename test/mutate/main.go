// Command mutate breaks the code in small ways, one at a time, and looks whether the tests notice. Each break stands in
// a file of breaks/ with the test that must fail: a filter left out, a sum with one term less, a limit off by one, a
// version compared the wrong way. The tree is not touched: the broken file is an overlay of the build.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	only := flag.String("only", "", "a regular expression: run only breaks whose name or file matches")
	check := flag.Bool("check", false, "only hold that each break still fits the code and that its test is there")
	timeout := flag.Duration("timeout", 5*time.Minute,
		"for the test of one break; one that hangs is noticed, but named")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	missed, err := run(ctx, *only, *check, *timeout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if missed > 0 {
		os.Exit(1)
	}
}

// run tries all breaks, and returns how many were not noticed, or do not fit any more.
func run(ctx context.Context, only string, check bool, timeout time.Duration) (bad int, err error) {
	which, err := regexp.Compile(only)
	if err != nil {
		return 0, fmt.Errorf("-only: %w", err)
	}
	all, err := readBreaks("test/mutate/breaks")
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is temporary
	tried := 0
	for _, b := range all {
		if !which.MatchString(b.name) && !which.MatchString(b.file) {
			continue
		}
		tried++
		began := time.Now()
		result := b.try(ctx, dir, check, timeout)
		if ctx.Err() != nil {
			return bad, ctx.Err()
		}
		word := "noticed"
		switch {
		case result != nil:
			bad++
			word = result.Error()
		case check:
			word = "fits"
		}
		_, _ = fmt.Fprintf(os.Stdout, "%-12s %5.1fs  %s (%s): %s\n", b.short(), time.Since(began).Seconds(), b.name,
			b.test, word)
	}
	_, _ = fmt.Fprintf(os.Stdout, "%d of %d as they should be\n", tried-bad, tried)
	return bad, nil
}

// breakage is one small break of the code.
type breakage struct {
	name, file, pkg, test string
	old, broken           string
}

func (b *breakage) short() string {
	return strings.TrimSuffix(filepath.Base(b.file), filepath.Ext(b.file))
}

var (
	errMissed = errors.New("NOT NOTICED")
	errStale  = errors.New("DOES NOT FIT ANY MORE: the old text must stand in the file exactly once")
	errNoTest = errors.New("ITS TEST IS GONE")
	errBuild  = errors.New("DOES NOT BUILD")
	errHangs  = errors.New("HANGS instead of failing")
)

// try breaks the code and runs the test; nil: it failed, as it should.
func (b *breakage) try(ctx context.Context, dir string, check bool, timeout time.Duration) error {
	text, err := os.ReadFile(b.file)
	if err != nil {
		return err
	}
	if strings.Count(string(text), b.old) != 1 {
		return errStale
	}
	if !b.testExists() {
		return errNoTest
	}
	if check {
		return nil
	}
	overlay, err := b.overlay(dir, strings.Replace(string(text), b.old, b.broken, 1))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout", timeout.String(), "-overlay", overlay,
		"-run", "^"+b.test+"$", "./"+b.pkg)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	out, err := command.CombinedOutput()
	switch text := string(out); {
	case err == nil:
		return errMissed
	case strings.Contains(text, "--- FAIL: "+b.test), strings.Contains(text, "panic: ") &&
		!strings.Contains(text, "panic: test timed out"):
		return nil
	case ctx.Err() != nil, strings.Contains(text, "panic: test timed out"):
		return errHangs
	default:
		return fmt.Errorf("%w: %s", errBuild, strings.TrimSpace(text))
	}
}

// overlay writes the broken file, and what tells the build to take it.
func (b *breakage) overlay(dir, broken string) (string, error) {
	at, err := filepath.Abs(b.file)
	if err != nil {
		return "", err
	}
	file, overlay := filepath.Join(dir, filepath.Base(b.file)), filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {at: file}})
	if err != nil {
		return "", err
	}
	const private = 0o600
	return overlay, errors.Join(os.WriteFile(file, []byte(broken), private), os.WriteFile(overlay, text, private))
}

func (b *breakage) testExists() bool {
	files, err := filepath.Glob(filepath.Join(b.pkg, "*_test.go"))
	if err != nil {
		return false
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "func "+b.test+"(") {
			return true
		}
	}
	return false
}
