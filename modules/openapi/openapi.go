package openapi

import (
	"crypto/sha256"
	_ "embed" // the document
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"go.yaml.in/yaml/v3"

	"github.com/feedrank/feedrank/modules/openapi/docs"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

//go:embed openapi.yaml
var source []byte

// JSON is the document as it is served.
func JSON() ([]byte, error) {
	var document map[string]any
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return json.Marshal(document)
}

// maxAge is how long a client may use the document without asking.
const maxAge = "public, max-age=300"

// Routes are the calls that give the document: for programs, and as a page for people.
func Routes() ([]httpserver.Route, error) {
	document, err := JSON()
	if err != nil {
		return nil, err
	}
	page, err := docs.HTML(source)
	if err != nil {
		return nil, err
	}
	return []httpserver.Route{
		fixed("/openapi.json", echo.MIMEApplicationJSON, document),
		fixed("/docs", echo.MIMETextHTMLCharsetUTF8, page),
		fixed("/docs/style.css", "text/css; charset=utf-8", docs.Style()),
	}, nil
}

// fixed gives what does not change while the program runs.
func fixed(path, contentType string, content []byte) httpserver.Route {
	sum := sha256.Sum256(content)
	tag := `W/"` + hex.EncodeToString(sum[:8]) + `"` // weak: it is the same with gzip and without
	return httpserver.Route{
		Method: http.MethodGet, Path: path, Access: httpserver.Anybody,
		Handler: func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("ETag", tag)
			h.Set(echo.HeaderCacheControl, maxAge)
			if contentType == echo.MIMETextHTMLCharsetUTF8 {
				h.Set(echo.HeaderContentSecurityPolicy, docs.Policy)
			}
			if known(c.Request().Header.Get("If-None-Match"), tag) {
				return c.NoContent(http.StatusNotModified)
			}
			return c.Blob(http.StatusOK, contentType, content)
		},
	}
}

// known tells whether a client has the document already (RFC 9110, 13.1.2).
func known(given, tag string) bool {
	for one := range strings.SplitSeq(given, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
