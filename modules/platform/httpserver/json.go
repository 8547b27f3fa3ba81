package httpserver

import (
	"encoding/json"
	"io"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
)

// ReadJSON reads the body of a call that takes no parameters. want says what it looks like.
func ReadJSON(c echo.Context, into any, want string) error {
	if err := NewQuery(c).Err(); err != nil {
		return err
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &core.Error{Code: core.CodeMalformedJSON, Message: "want " + want, Cause: err}
	}
	return nil
}
