package clickhouse

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The codes that this front itself answers with. All others come from the engine.
const (
	codeNotImplemented     = 48
	codeSyntaxError        = 62
	codeUnknownStatement   = 78
	codeUnexpectedPacket   = 101
	codeUnknownSetting     = 115
	codeTooManyConnections = 202
	codeNoOutfile          = 250
	codeCancelled          = 394
	codeAuthentication     = 516
	codeUnknownException   = 1002
)

// exception is an error as ClickHouse reports it: a code that clients branch on, and a text for people.
type exception struct {
	code    int
	message string
}

func (e *exception) Error() string { return fmt.Sprintf("code %d: %s", e.code, e.message) }

func exceptionf(code int, format string, args ...any) *exception {
	return &exception{code: code, message: fmt.Sprintf(format, args...)}
}

func asException(err error) *exception {
	var e *exception
	if errors.As(err, &e) {
		return e
	}
	return &exception{code: codeUnknownException, message: err.Error()}
}

func hasCode(err error, code int) bool {
	var e *exception
	return errors.As(err, &e) && e.code == code
}

const exceptionPrefix = "DB::Exception: "

// The engine ends its texts like this: (UNKNOWN_TABLE) (version 26.7.2.1)
var exceptionSuffix = regexp.MustCompile(`\s*\([A-Z0-9_]+\)(?:\s*\(version [^()]*(?:\([^()]*\))?\))?\s*$`)

// parseException turns the engine's text, `Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE)`, into the code and the
// message that a server would send in its exception packet, where neither the code nor its name is repeated in the text.
func parseException(text string) *exception {
	e := &exception{code: codeUnknownException, message: text}
	rest, found := strings.CutPrefix(text, "Code: ")
	if !found {
		return e
	}
	digits, rest, found := strings.Cut(rest, ".")
	if !found {
		return e
	}
	code, err := strconv.Atoi(digits)
	if err != nil {
		return e
	}
	e.code = code
	e.message = strings.TrimPrefix(strings.TrimSpace(rest), exceptionPrefix)
	e.message = exceptionSuffix.ReplaceAllString(e.message, "")
	return e
}
