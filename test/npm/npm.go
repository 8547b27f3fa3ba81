// Package npm has what npm fetches by a lock file, for tests that run a script of it.
package npm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Fetched is a folder of the repository that has a lock file, with the module that is pinned in it: fetched where it is
// not there, or of another version.
func Fetched(ctx context.Context, folder, module string) (string, error) {
	root, err := root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, filepath.FromSlash(folder))
	if !there(dir, module) {
		npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		npm.Dir = dir
		if out, err := npm.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm ci in %s: %w: %s", dir, err, out)
		}
	}
	return dir, nil
}

// root is the repository's: tests run in the folder of their package.
func root() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		up := filepath.Dir(at)
		if up == at {
			return "", errors.New("this is not within the repository")
		}
		at = up
	}
}

// there tells whether the version that is pinned is here.
func there(dir, module string) bool {
	var pinned struct {
		Dependencies map[string]string `json:"devDependencies"`
	}
	var here struct {
		Version string `json:"version"`
	}
	return read(filepath.Join(dir, "package.json"), &pinned) &&
		read(filepath.Join(dir, "node_modules", module, "package.json"), &here) &&
		here.Version != "" && here.Version == pinned.Dependencies[module]
}

func read(file string, into any) bool {
	text, err := os.ReadFile(file)
	return err == nil && json.Unmarshal(text, into) == nil
}
