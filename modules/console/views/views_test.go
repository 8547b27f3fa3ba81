package views

import (
	"errors"
	"html/template"
	"io"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

// html/template has the better eye for where an action stands: it must find nothing wrong with any page.
func TestEveryPageIsOneThatHTMLTemplateWouldEscape(t *testing.T) {
	pages, err := New(core.SystemClock{})
	require.NoError(t, err)
	names, err := fs.Glob(files, "templates/[a-z]*.html")
	require.NoError(t, err)
	require.Len(t, pages.pages, len(names))
	functions := template.FuncMap{"asset": func(string) string { return "" }}
	for name, f := range asFuncMap(t) {
		functions[name] = f
	}
	for _, name := range names {
		page, err := template.New("frame").Funcs(functions).ParseFS(files, "templates/_frame.html", name)
		require.NoError(t, err, name)
		err = page.ExecuteTemplate(io.Discard, "frame", Page{}) // it looks at all of it before it begins
		var wrong *template.Error
		require.False(t, errors.As(err, &wrong), "%s: %v", name, err)
	}
}

func asFuncMap(t *testing.T) map[string]any {
	t.Helper()
	return functions(core.SystemClock{})
}
