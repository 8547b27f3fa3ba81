package app

import (
	"net/http"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// nobody is the authenticator of a process without an API: it lets no one in.
type nobody struct{}

func (nobody) Authenticate(http.Header) (httpserver.Principal, error) {
	return httpserver.Principal{}, core.Errorf(core.CodeNotFound, "this process has no api role")
}
