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

// Routes are the call that gives the document.
func Routes() ([]httpserver.Route, error) {
	document, err := JSON()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(document)
	tag := `W/"` + hex.EncodeToString(sum[:8]) + `"` // weak: it is the same with gzip and without
	return []httpserver.Route{{
		Method: http.MethodGet, Path: "/openapi.json", Access: httpserver.Anybody,
		Handler: func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("ETag", tag)
			h.Set(echo.HeaderCacheControl, maxAge)
			if known(c.Request().Header.Get("If-None-Match"), tag) {
				return c.NoContent(http.StatusNotModified)
			}
			return c.JSONBlob(http.StatusOK, document)
		},
	}}, nil
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
