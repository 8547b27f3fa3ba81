// Package supply looks at what we take from others: under which licences their code is, and (by
// vulnerabilities.sh) whether it has known vulnerabilities.
package supply

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// permissive are the licences that we take code under, each known by a sentence that no other has. The
// sentences are compared without case, line ends and punctuation.
var permissive = map[string]string{
	"Apache-2.0": "apache license version 2 0",
	"MIT":        "permission is hereby granted free of charge to any person obtaining a copy",
	"BSD":        "redistribution and use in source and binary forms with or without modification are permitted",
	"ISC":        "permission to use copy modify and or distribute this software for any purpose with or without fee",
	"MPL-2.0":    "mozilla public license version 2 0",
}

// forbidden must stand in no licence file: some add a second licence to a permissive one. The Mozilla licence
// names others as compatible, and is looked at for itself.
var forbidden = []string{
	"gnu general public license", "gnu affero", "gnu lesser", "server side public license",
	"business source license", "commons clause", "elastic license",
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)`)
	separators  = regexp.MustCompile(`[^a-z0-9]+`)
)

// module is one that code of ours, or of our tests, is built from.
type module struct {
	Path, Version, Dir string
	Main               bool
}

func modules(t *testing.T) []module {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-test", "-tags", "real", "-json=Module", "./...")
	command.Dir = "../.."
	out, err := command.Output()
	require.NoError(t, err)
	seen := map[string]bool{}
	var all []module
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ Module *module }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		}
		if m := p.Module; m != nil && !m.Main && !seen[m.Path] {
			seen[m.Path] = true
			all = append(all, *m)
		}
	}
}

// licences names the licences of a text; empty: none that we know.
func licences(text string) (found []string, refused []string) {
	text = separators.ReplaceAllString(strings.ToLower(text), " ")
	for name, sentence := range permissive {
		if strings.Contains(text, sentence) {
			found = append(found, name)
		}
	}
	if slices.Contains(found, "MPL-2.0") {
		return found, nil
	}
	for _, word := range forbidden {
		if strings.Contains(text, word) {
			refused = append(refused, word)
		}
	}
	return found, refused
}

func TestEveryModuleIsUnderAPermissiveLicence(t *testing.T) {
	all := modules(t)
	require.Greater(t, len(all), 40, "the modules are found")
	for _, m := range all {
		entries, err := os.ReadDir(m.Dir)
		require.NoError(t, err, m.Path)
		var found, refused []string
		for _, entry := range entries {
			if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(m.Dir, entry.Name()))
			require.NoError(t, err)
			f, r := licences(string(text))
			found, refused = append(found, f...), append(refused, r...)
		}
		require.NotEmpty(t, found, "%s %s: no licence that we know in %s", m.Path, m.Version, m.Dir)
		require.Empty(t, refused, "%s %s", m.Path, m.Version)
		t.Logf("%-50s %-12s %s", m.Path, m.Version, strings.Join(found, ", "))
	}
}

func TestLicencesThatTakeSomethingBackAreRefused(t *testing.T) {
	for _, text := range []string{
		"GNU GENERAL PUBLIC LICENSE\nVersion 3",
		"Apache License\nVersion 2.0 ... with the \"Commons Clause\" License Condition", "Business Source License 1.1",
		"Permission is hereby granted, free of charge, to any person obtaining a copy\n... or under the GNU Affero General Public License",
	} {
		_, refused := licences(text)
		require.NotEmpty(t, refused, text)
	}
	found, refused := licences("All rights reserved.")
	require.Empty(t, found)
	require.Empty(t, refused)
}
