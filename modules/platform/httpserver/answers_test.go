package httpserver_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

func ask(t *testing.T, client *http.Client, method, url string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response, body
}

func gets(path string, handler echo.HandlerFunc) httpserver.Route {
	return httpserver.Route{Method: http.MethodGet, Path: path, Access: httpserver.Public, Handler: handler}
}

func TestAnswersOfAKilobyteAreCompressedForWhoTakesIt(t *testing.T) {
	text := func(n int) echo.HandlerFunc {
		return func(c echo.Context) error { return c.JSONBlob(http.StatusAccepted, []byte(strings.Repeat("a", n))) }
	}
	url, client := serve(t, nil, gets("/short", text(1023)), gets("/long", text(1024)),
		gets("/parts", func(c echo.Context) error {
			c.Response().WriteHeader(http.StatusOK)
			for range 300 {
				if _, err := c.Response().Write([]byte("bbbbbbbbbb")); err != nil {
					return err
				}
			}
			return nil
		}),
		gets("/nothing", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }),
		gets("/wrong", func(echo.Context) error { return core.InvalidField("x", "%s", strings.Repeat("c", 2000)) }))
	for _, c := range []struct {
		path, accept string
		status       int
		compressed   bool
		length       int
	}{
		{"/long", "gzip", 202, true, 1024},
		{"/long", "br, GZIP;q=0.5", 202, true, 1024},
		{"/long", "gzip;q=0", 202, false, 1024},
		{"/long", "identity", 202, false, 1024},
		{"/long", "", 202, false, 1024},
		{"/short", "gzip", 202, false, 1023},
		{"/parts", "gzip", 200, true, 3000},
		{"/parts", "br", 200, false, 3000},
		{"/nothing", "gzip", 204, false, 0},
		{"/wrong", "gzip", 400, false, -1},
	} {
		for range 2 { // the memory is used again
			response, body := ask(t, client, http.MethodGet, url+c.path, "Accept-Encoding", c.accept) //nolint:bodyclose // read and closed
			require.Equal(t, c.status, response.StatusCode, "%v", c)
			require.Contains(t, response.Header.Values("Vary"), "Accept-Encoding", "%v", c)
			if !c.compressed {
				require.Empty(t, response.Header.Get("Content-Encoding"), "%v", c)
			} else {
				require.Equal(t, "gzip", response.Header.Get("Content-Encoding"), "%v", c)
				require.EqualValues(t, len(body), response.ContentLength, "%v", c)
				z, err := gzip.NewReader(strings.NewReader(string(body)))
				require.NoError(t, err)
				body, err = io.ReadAll(z)
				require.NoError(t, err)
			}
			if c.length >= 0 {
				require.Len(t, body, c.length, "%v", c)
			}
		}
	}
	url, client = serve(t, func(cfg *httpserver.Config) { cfg.GzipBytes = 0 }, gets("/long", text(5000)))
	response, body := ask(t, client, http.MethodGet, url+"/long", "Accept-Encoding", "gzip") //nolint:bodyclose // as above
	require.Empty(t, response.Header.Get("Content-Encoding"))
	require.Len(t, body, 5000)
}

func TestWhatTakesGetTakesHead(t *testing.T) {
	url, client := serve(t, nil,
		gets("/page", func(c echo.Context) error {
			return c.JSONBlob(http.StatusOK,
				[]byte(strings.Repeat("a", 1500)))
		}),
		gets("/away", func(echo.Context) error { return core.Unavailable("it", 0, nil) }),
		httpserver.Route{
			Method: http.MethodGet, Path: "/user", Access: httpserver.User,
			Handler: func(c echo.Context) error { return c.NoContent(204) },
		},
		route("/act", httpserver.Public, func(c echo.Context) error { return c.NoContent(204) }))
	for path, want := range map[string]int{"/page": 200, "/away": 503, "/user": 401, "/act": 405, "/none": 404} {
		response, body := ask(t, client, http.MethodHead, url+path) //nolint:bodyclose // as above
		require.Equal(t, want, response.StatusCode, path)
		require.Empty(t, body)
		require.NotEmpty(t, response.Header.Get("X-Request-Id"))
	}
	response, _ := ask(t, client, http.MethodHead, url+"/page") //nolint:bodyclose // as above
	require.EqualValues(t, 1500, response.ContentLength)
}

func TestAPreflightAllowsTheMethodsOfThePathAndTheHeadersOfTheSetting(t *testing.T) {
	const origin = "https://app.example"
	url, client := serve(t, func(cfg *httpserver.Config) {
		cfg.CORS.Origins = []string{origin}
		cfg.CORS.Headers = append(cfg.CORS.Headers, "x-tool")
	}, gets("/page", func(c echo.Context) error { return c.NoContent(204) }),
		httpserver.Route{
			Method: http.MethodPut, Path: "/thing", Access: httpserver.Admin, What: "x",
			Handler: func(c echo.Context) error { return c.NoContent(204) },
		},
		httpserver.Route{
			Method: http.MethodDelete, Path: "/thing", Access: httpserver.Admin, What: "x",
			Handler: func(c echo.Context) error { return c.NoContent(204) },
		})
	preflight := func(path, origin string) http.Header {
		response, _ := ask(t, client, http.MethodOptions, url+path, "Origin", origin, "Access-Control-Request-Method", "GET", //nolint:bodyclose // as above
			"Access-Control-Request-Headers", "authorization,traceparent,tracestate,baggage,sentry-trace,act-as,x-tool")
		require.Less(t, response.StatusCode, 300)
		return response.Header
	}
	methods := func(h http.Header) []string {
		return strings.FieldsFunc(h.Get("Access-Control-Allow-Methods"),
			func(r rune) bool { return r == ',' || r == ' ' })
	}
	require.ElementsMatch(t, []string{"OPTIONS", "GET", "HEAD"}, methods(preflight("/page", origin)))
	require.ElementsMatch(t, []string{"OPTIONS", "PUT", "DELETE"}, methods(preflight("/thing", origin)))
	allowed := strings.ToLower(preflight("/page", origin).Get("Access-Control-Allow-Headers"))
	for _, header := range []string{
		"authorization", "content-type", "traceparent", "tracestate", "baggage",
		"sentry-trace", "act-as", "x-tool",
	} {
		require.Contains(t, strings.Split(allowed, ","), header)
	}
	require.Empty(t, preflight("/page", "https://other.example").Get("Access-Control-Allow-Origin"))
}
