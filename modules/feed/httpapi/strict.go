package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/feedrank/feedrank/modules/core"
)

// strict reads JSON in which a misspelt name is an error: it would silently change nothing. So is what
// follows. within is where it stands in the body.
func strict(r io.Reader, within string, into any) error {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("there is more behind it")
		}
	}
	if err != nil {
		var tooLarge *http.MaxBytesError
		var misfit *json.UnmarshalTypeError
		switch {
		case errors.As(err, &tooLarge):
			return err
		case errors.As(err, &misfit):
			return core.InvalidField(cmp.Or(within+misfit.Field, "body"), "want %s, not %s", wordFor(misfit.Type),
				misfit.Value)
		}
		return &core.Error{
			Code:    core.CodeMalformedJSON,
			Message: "the body does not fit: " + strings.TrimPrefix(err.Error(), "json: "), Cause: err,
		}
	}
	return nil
}

// wordFor is what a type is in JSON.
func wordFor(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Uint64:
		return "a whole number"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}
