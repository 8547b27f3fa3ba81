package httpserver

import (
	"bytes"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// Answer is what a call gave that was made within the server.
type Answer struct {
	Status int
	Body   []byte
}

// Within makes a call of the address that a request came to, without the network: it passes every protection that a
// call from outside does, as of the same client and under the same request id. target is the path with its query;
// token whose call it is; body JSON, or nil.
func Within(c echo.Context, method, target, token string, body []byte) (Answer, error) {
	outer := c.Request()
	r, err := http.NewRequestWithContext(outer.Context(), method, target, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	r.RemoteAddr, r.Host, r.RequestURI = outer.RemoteAddr, outer.Host, target
	for _, name := range []string{echo.HeaderXForwardedFor, "Forwarded"} { // by which the client is known
		if lists, ok := outer.Header[name]; ok {
			r.Header[name] = lists
		}
	}
	r.Header.Set(echo.HeaderAuthorization, "Bearer "+token)
	r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	r.Header.Set(echo.HeaderXRequestID, tracing.RequestID(outer.Context()))
	w := inMemory{header: http.Header{}, status: http.StatusOK}
	c.Echo().ServeHTTP(&w, r)
	return Answer{Status: w.status, Body: w.body.Bytes()}, nil
}

// inMemory keeps an answer.
type inMemory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *inMemory) Header() http.Header         { return w.header }
func (w *inMemory) WriteHeader(status int)      { w.status = status }
func (w *inMemory) Write(p []byte) (int, error) { return w.body.Write(p) }
