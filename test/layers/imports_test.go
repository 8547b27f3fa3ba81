package layers_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/feedrank/feedrank/"

// layer is how far up a package stands: imports point down only.
func layer(pkg string) (height int, feature string) {
	path := strings.TrimPrefix(pkg, module)
	switch {
	case strings.HasPrefix(path, "modules/core"), path == "sql":
		return 0, ""
	case strings.HasPrefix(path, "modules/platform/"):
		return 1, ""
	case strings.HasPrefix(path, "modules/lab/"):
		return 2, "lab/" + strings.Split(path, "/")[2]
	case strings.HasPrefix(path, "modules/"):
		return 2, strings.Split(path, "/")[1]
	case path == "config", strings.HasPrefix(path, "config/"):
		return 3, ""
	case strings.HasPrefix(path, "app"):
		return 4, ""
	default:
		return 5, ""
	}
}

func TestImportsPointOneWayAndFeaturesDoNotImportEachOther(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	list.Dir = "../.."
	out, err := list.Output()
	require.NoError(t, err)
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	packages := 0
	for {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			require.NoError(t, err)
		}
		packages++
		height, feature := layer(pkg.ImportPath)
		for _, imported := range pkg.Imports {
			if !strings.HasPrefix(imported, module) {
				continue
			}
			below, other := layer(imported)
			require.LessOrEqual(t, below, height, "%s imports %s, which stands above it", pkg.ImportPath, imported)
			require.False(t, height == 2 && below == 2 && feature != other, "%s imports the feature %s", pkg.ImportPath,
				imported)
		}
	}
	require.Greater(t, packages, 10)
}

// TestTheProductionBinaryHasNothingOfALab looks at what an image and a release are built of.
func TestTheProductionBinaryHasNothingOfALab(t *testing.T) {
	deps := func(tags string) string {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, ".")
		list.Dir = "../.."
		out, err := list.Output()
		require.NoError(t, err)
		return string(out)
	}
	production, checkout := deps("production"), deps("")
	for _, lab := range []string{
		module + "modules/lab/", "pkg/kfake", "pkg/kgo", "alicebob/miniredis", "gopher-lua", "valyala/fasthttp",
		"schollz/progressbar",
		"ebitengine/purego", "HdrHistogram",
	} {
		require.Contains(t, checkout, lab, "the word is right")
		require.NotContains(t, production, lab)
	}
	require.NotContains(t, production+checkout, "toxiproxy")
}
