package documented

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const (
	root = "../.."
	kb   = 1024
)

// limits are of documents that somebody must be able to read in ten minutes.
var limits = map[string]int{"README.md": 8 * kb, "ARCHITECTURE.md": 20 * kb}

// figures are written by a command, and looked up.
const figures = "modules/lab/bench/README.md"

const ofPackage = 5 * kb

// documents are all that is ours: Markdown, and doc.go of packages.
func documents(t *testing.T) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && (name == "node_modules" || name == "bin" || name == "data" || name == ".work" ||
			strings.HasPrefix(name, ".") && path != root):
			return fs.SkipDir
		case filepath.Ext(name) == ".md" || name == "doc.go":
			relative, err := filepath.Rel(root, path)
			all = append(all, filepath.ToSlash(relative))
			return err
		}
		return nil
	}))
	require.Contains(t, all, "README.md")
	return all
}

func text(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(text)
}

func TestDocumentsCanBeReadInTenMinutes(t *testing.T) {
	for _, file := range documents(t) {
		limit := limits[file]
		if name := filepath.Base(file); limit == 0 && (name == "doc.go" || name == "README.md") &&
			!strings.HasPrefix(file, "config/") && file != figures {
			limit = ofPackage
		}
		if limit > 0 {
			require.LessOrEqual(t, len(text(t, file)), limit, "%s: the rest belongs to where it is needed", file)
		}
	}
}

func TestLinesOfDocumentsFitIntoAWindow(t *testing.T) {
	for _, file := range documents(t) {
		fenced := false
		for i, line := range strings.Split(text(t, file), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "![") ||
				strings.HasPrefix(line, "//\t") {
				continue // what cannot be broken
			}
			require.LessOrEqual(t, utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")), 120, "%s:%d", file,
				i+1)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// anchors are the places of a document that a link can name, as GitHub makes them.
func anchors(document string) (all []string) {
	for _, found := range heading.FindAllStringSubmatch(document, -1) {
		var anchor strings.Builder
		for _, r := range strings.ToLower(strings.TrimSpace(found[1])) {
			switch {
			case r == ' ':
				anchor.WriteByte('-')
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
				anchor.WriteRune(r)
			}
		}
		all = append(all, anchor.String())
	}
	return all
}

func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	for _, file := range documents(t) {
		if filepath.Ext(file) != ".md" {
			continue
		}
		for _, found := range link.FindAllStringSubmatch(text(t, file), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(found[1], "#")
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			_, err := os.Stat(filepath.Join(root, target))
			require.NoError(t, err, "%s: %s", file, found[1])
			if anchor != "" {
				require.Contains(t, anchors(text(t, target)), anchor, "%s: %s", file, found[1])
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said, paths := map[string]int{}, map[string]bool{} // lines of the comment, and where packages are
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.Contains(path, "node_modules") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		folder := filepath.Dir(path)
		paths[folder] = true
		if file.Doc == nil {
			return nil
		}
		lines := strings.Count(strings.TrimSpace(file.Doc.Text()), "\n") + 1
		said[folder] = max(said[folder], lines)
		relative, err := filepath.Rel(root, folder)
		first, _, _ := strings.Cut(filepath.ToSlash(relative), "/")
		if lines > 2 && slices.Contains([]string{"config", "modules"}, first) && !strings.HasSuffix(path, "_test.go") {
			require.Equal(t, "doc.go", filepath.Base(path), "%s has the design of its package", path)
		}
		return err
	}))
	require.NotEmpty(t, paths)
	for folder := range paths {
		require.Positive(t, said[folder], "%s has no comment on its package", folder)
	}
}

func TestEveryDirectDependencyIsInTheTableOfLibraries(t *testing.T) {
	_, table, found := strings.Cut(text(t, "ARCHITECTURE.md"), "\n## Libraries\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	required := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(text(t, "go.mod"), -1)
	require.NotEmpty(t, required)
	for _, dependency := range required {
		module := strings.TrimPrefix(dependency[1], "github.com/")
		switch parts := strings.Split(module, "/"); {
		case parts[0] == "golang.org":
			require.Contains(t, table, strings.Join(parts[1:], "/"), module)
		case len(parts) > 3 || len(parts) == 3 && !strings.HasPrefix(parts[2], "v") && parts[0] != "go.uber.org" &&
			parts[0] != "go.yaml.in":
			require.Contains(t, table, strings.Join(parts[:2], "/"), module) // a module within its repository
			require.Contains(t, table, strings.Join(parts[2:], "/"), module)
		default:
			require.Contains(t, table, module)
		}
	}
}
