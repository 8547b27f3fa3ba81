// Package openapi serves the description of the API (OpenAPI 3.1). openapi.yaml is the document; a
// test compares it with every registered route, and every answer of a property test with its schemas.
package openapi

import (
	_ "embed" // the document
	"encoding/json"
	"fmt"
	"net/http"

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

// Routes are the call that gives the document.
func Routes() ([]httpserver.Route, error) {
	document, err := JSON()
	if err != nil {
		return nil, err
	}
	return []httpserver.Route{{Method: http.MethodGet, Path: "/openapi.json", Access: httpserver.Anybody, Handler: func(c echo.Context) error {
		return c.JSONBlob(http.StatusOK, document)
	}}}, nil
}
