package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// install returns a folder with bin, lib and share which the account can use.
// That is the package's own, unless the account cannot read it (it may be below
// root's home) or its links are missing and cannot be made: then a copy in home.
func install(pkg, home string, as *account) (string, error) {
	native := filepath.Join(pkg, "native")
	if _, err := os.Stat(filepath.Join(native, "bin", "postgres")); err != nil {
		return "", fmt.Errorf("no PostgreSQL in %s (run `make servers`, or point postgres.dsn at a server of your own): %w", pkg, err)
	}
	linked := link(pkg, pkg) == nil
	if linked && as.mayUse(filepath.Join(native, "bin", "postgres")) &&
		as.mayUse(filepath.Join(native, "lib")) && as.mayUse(filepath.Join(native, "share")) {
		return filepath.EvalSymlinks(native)
	}
	version, err := packageVersion(pkg)
	if err != nil {
		return "", err
	}
	copied := filepath.Join(home, "postgresql-"+version)
	if _, err := os.Stat(copied); err == nil {
		return filepath.Join(copied, "native"), nil
	}
	// A copy that was cut short must not be taken for a whole one.
	draft := copied + ".part"
	if err := os.RemoveAll(draft); err != nil {
		return "", fmt.Errorf("copy postgres: %w", err)
	}
	if err := copyTree(native, filepath.Join(draft, "native")); err != nil {
		return "", fmt.Errorf("copy postgres: %w", err)
	}
	if err := link(pkg, draft); err != nil {
		return "", err
	}
	if err := os.Rename(draft, copied); err != nil {
		return "", fmt.Errorf("copy postgres: %w", err)
	}
	return filepath.Join(copied, "native"), nil
}

// link makes the links that an npm package cannot hold and lists in a file
// instead. npm makes them after installing, unless scripts are switched off.
func link(pkg, root string) error {
	text, err := os.ReadFile(filepath.Join(pkg, "native", "pg-symlinks.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("postgres links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("postgres links: %w", err)
	}
	for _, l := range links {
		if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) {
			return fmt.Errorf("postgres links: %s to %s leads outside the package", l.Target, l.Source)
		}
		to, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return fmt.Errorf("postgres links: %w", err)
		}
		if err := os.Symlink(to, filepath.Join(root, l.Target)); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("postgres links: %w", err)
		}
	}
	return nil
}

func packageVersion(pkg string) (string, error) {
	text, err := os.ReadFile(filepath.Join(pkg, "package.json"))
	if err != nil {
		return "", fmt.Errorf("postgres package: %w", err)
	}
	var about struct{ Version string }
	if err := json.Unmarshal(text, &about); err != nil {
		return "", fmt.Errorf("postgres package: %w", err)
	}
	if about.Version == "" || !filepath.IsLocal(about.Version) {
		return "", fmt.Errorf("postgres package in %s: version %q", pkg, about.Version)
	}
	return about.Version, nil
}

// copyTree copies what runs: no static libraries, and links later.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o755) // PostgreSQL's user must read it
		case entry.Type().IsRegular() && !strings.HasSuffix(path, ".a"):
			return copyFile(path, target)
		default:
			return nil
		}
	})
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}
