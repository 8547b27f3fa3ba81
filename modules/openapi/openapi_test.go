package openapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/openapi"
)

// TestTheDocumentIsSentToWhoDoesNotHaveItYet asks as caches do (RFC 9110, 13.1.2).
func TestTheDocumentIsSentToWhoDoesNotHaveItYet(t *testing.T) {
	routes, err := openapi.Routes()
	require.NoError(t, err)
	require.Equal(t, "/openapi.json", routes[0].Path)
	e := echo.New()
	e.Add(routes[0].Method, routes[0].Path, routes[0].Handler)
	ask := func(known string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil)
		if known != "" {
			r.Header.Set("If-None-Match", known)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w
	}
	first := ask("")
	tag := first.Header().Get("ETag")
	require.Regexp(t, `^W/"[0-9a-f]{16}"$`, tag)
	require.Equal(t, http.StatusOK, first.Code)
	require.Equal(t, tag, ask("").Header().Get("ETag"), "the same document has the same tag")
	document, err := openapi.JSON()
	require.NoError(t, err)
	require.JSONEq(t, string(document), first.Body.String())
	for given, status := range map[string]int{
		tag: 304, tag[2:]: 304, `"other", ` + tag: 304, "*": 304,
		`"other"`: 200, tag[:len(tag)-2] + `"`: 200, `W/""`: 200,
	} {
		got := ask(given)
		require.Equal(t, status, got.Code, given)
		require.Equal(t, tag, got.Header().Get("ETag"), given)
		require.Equal(t, "public, max-age=300", got.Header().Get("Cache-Control"), given)
		require.Equal(t, status == http.StatusNotModified, got.Body.Len() == 0, given)
	}
}
