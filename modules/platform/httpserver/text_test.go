package httpserver_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// TestWhatIsNoTextIsRefusedBeforeAServerRefusesIt sends NUL and broken UTF-8 wherever a client can put text.
func TestWhatIsNoTextIsRefusedBeforeAServerRefusesIt(t *testing.T) {
	reached := 0
	done := func(c echo.Context) error {
		q := httpserver.NewQuery(c, "who")
		if q.String("who", 100); q.Err() != nil {
			return q.Err()
		}
		reached++
		return c.NoContent(http.StatusNoContent)
	}
	parts := httpserver.Route{
		Method: http.MethodPost, Path: "/parts", Access: httpserver.User, InParts: true,
		Handler: done,
	}
	url, client := serve(t, nil, route("/things/:id", httpserver.User, done), parts)
	for _, c := range []struct {
		path, token, body string
		status            int
		field             string
	}{
		{"/things/1?who=ana", "user", `{"note":"é"}`, 204, ""},
		{"/things/1?who=%00", "user", ``, 400, "who"},
		{"/things/1?who=a%ff", "user", ``, 400, "who"},
		{"/things/1?who=%ed%a0%80", "user", ``, 400, "who"},
		{"/things/1?w%00=1", "user", ``, 400, "w\uFFFD"},
		{"/things/%00", "user", ``, 400, "path"},
		{"/things/a%ffb", "user", ``, 400, "path"},
		{"/things/a%2f%00", "user", ``, 400, "path"},
		{"/things/1", "user", `{"note":"\u0000"}`, 400, ""},
		{"/things/1", "user", `{"no\u0000te":1}`, 400, ""},
		{"/things/1", "user", `{"note":"a\\\u0000"}`, 400, ""},
		{"/things/1", "user", `{"note":"a\\u0000"}`, 204, ""},
		{"/things/1", "user", `{"note":"a\\u0000 \u0000"}`, 400, ""},
		{"/things/1", "user", `{"note":"\u00001"}`, 400, ""},
		{"/things/1", "user", `{"note":"\u0001"}`, 204, ""},
		{"/things/1", "user", "{\"note\":\"\x00\"}", 400, ""},
		{"/things/1", "user", "{\"note\":\"\xff\"}", 400, ""},
		{"/things/1", "odd", ``, 403, ""},
		{"/parts", "user", `{"note":"\u0000"}`, 204, ""},
		{"/parts?who=%00", "user", `{"note":"\u0000"}`, 400, "who"},
	} {
		before := reached
		method := http.MethodPost
		response, problem := call(t, client, method, url+c.path, c.token, strings.NewReader(c.body)) //nolint:bodyclose // read and closed
		require.Equal(t, c.status, response.StatusCode, "%q", c)
		require.Equal(t, c.field, problem.Field, "%q", c)
		require.Equal(t, c.status == http.StatusNoContent, reached > before, "%q", c)
		if c.status == http.StatusBadRequest && c.field != "w\uFFFD" {
			require.Contains(t, problem.Detail, "UTF-8", "%q", c)
			if c.field == "" {
				require.Equal(t, core.CodeMalformedJSON, problem.Code)
			}
		}
	}
}
