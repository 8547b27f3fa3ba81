package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Migration is one file: a number, a name, and statements that may be run again.
type Migration struct {
	Version    string // the digits before the first underscore
	Name       string
	Checksum   string // SHA-256 of the file
	Statements []string
}

// State is where one migration stands.
type State struct {
	Migration
	Applied bool
}

// target is a database with a record of what was applied to it.
type target interface {
	// applied are the checksums by version.
	applied(ctx context.Context) (map[string]string, error)
	apply(ctx context.Context, m Migration) error
}

var fileName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)

// load reads the migrations of a folder in their order.
func load(folder fs.FS, dir string) ([]Migration, error) {
	entries, err := fs.ReadDir(folder, dir)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	var all []Migration
	for _, entry := range entries {
		parts := fileName.FindStringSubmatch(entry.Name())
		if parts == nil {
			return nil, fmt.Errorf("migrations: %s/%s is not named like 0001_name.sql", dir, entry.Name())
		}
		text, err := fs.ReadFile(folder, dir+"/"+entry.Name())
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		sum := sha256.Sum256(text)
		all = append(all, Migration{
			Version: parts[1], Name: parts[2], Checksum: hex.EncodeToString(sum[:]), Statements: split(string(text)),
		})
	}
	slices.SortFunc(all, func(a, b Migration) int { return strings.Compare(a.Version, b.Version) })
	for i := 1; i < len(all); i++ {
		if all[i].Version == all[i-1].Version {
			return nil, fmt.Errorf("migrations: two files in %s have the number %s", dir, all[i].Version)
		}
	}
	return all, nil
}

// split cuts a file into statements. A statement ends with a line that ends with a semicolon;
// comments between statements are left out.
func split(text string) []string {
	var statements []string
	var current []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if len(current) == 0 && (line == "" || strings.HasPrefix(strings.TrimSpace(line), "--")) {
			continue
		}
		code, _, _ := strings.Cut(line, "--")
		last, ends := strings.CutSuffix(strings.TrimRight(code, " \t"), ";")
		if !ends {
			current = append(current, line)
			continue
		}
		statements = append(statements, strings.Join(append(current, last), "\n"))
		current = nil
	}
	if len(current) > 0 {
		statements = append(statements, strings.Join(current, "\n"))
	}
	return statements
}

// run compares and, unless it is only asked to look, applies what is missing in order.
func run(ctx context.Context, t target, migrations []Migration, dryRun bool) ([]State, error) {
	applied, err := t.applied(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]State, 0, len(migrations))
	for _, m := range migrations {
		checksum, done := applied[m.Version]
		if done && checksum != m.Checksum {
			return states, fmt.Errorf("migration %s_%s was changed after it was applied (checksum %.12s, now %.12s): write a new one instead",
				m.Version, m.Name, checksum, m.Checksum)
		}
		if !done && !dryRun {
			if err := t.apply(ctx, m); err != nil {
				return states, fmt.Errorf("migration %s_%s: %w", m.Version, m.Name, err)
			}
		}
		states = append(states, State{Migration: m, Applied: done})
		delete(applied, m.Version)
	}
	for version := range applied {
		return states, fmt.Errorf("migration %s was applied by a newer version of feedrank: run that one", version)
	}
	return states, nil
}
