package harness

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// requestTimeout is when a request counts as failed.
const requestTimeout = 5 * time.Second

// Request is one request of a load.
type Request struct {
	Kind   string // histograms are kept by kind
	Method string // empty: GET
	Path   string
	Token  string
	Body   []byte
}

// Client speaks HTTP with one address. It is not net/http, which takes more of the machine than a
// cached feed does, and the generator shares the machine with what it measures.
type Client struct{ http *fasthttp.HostClient }

// NewClient speaks with an address, host:port.
func NewClient(addr string) Client {
	return Client{&fasthttp.HostClient{
		Addr: addr, MaxConns: MaxInFlight, MaxIdleConnDuration: time.Minute, NoDefaultUserAgentHeader: true,
		Dial:        func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, requestTimeout) },
		ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, MaxIdemponentCallAttempts: 1,
		DisablePathNormalizing: true,
	}}
}

// Addr is whom it speaks with.
func (c Client) Addr() string { return c.http.Addr }

// Close gives its idle connections up.
func (c Client) Close() { c.http.CloseIdleConnections() }

// Do sends a request and tells what went wrong, in a word or two; empty: nothing. see gets the body of
// a success, which it must not keep.
func (c Client) Do(r *Request, see func(body []byte)) (failure string) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.SetHost(c.http.Addr)
	request.SetRequestURI(r.Path)
	if r.Method != "" {
		request.Header.SetMethod(r.Method)
	}
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	if r.Body != nil {
		request.Header.SetContentType("application/json")
		request.SetBodyRaw(r.Body)
	}
	request.SetTimeout(requestTimeout)
	if err := c.http.Do(request, response); err != nil {
		return failureOf(err)
	}
	if status := response.StatusCode(); status >= 300 {
		failure = fmt.Sprint("status ", status)
		if code := wordAfter(response.Body(), `"code":"`); code != "nowhere" {
			failure += " " + code
		}
		// who has too much to do?
		if detail := wordAfter(response.Body(), `"detail":"`); status == fasthttp.StatusServiceUnavailable &&
			detail != "nowhere" {
			failure += ": " + detail
		}
		return failure
	}
	if see != nil {
		see(response.Body())
	}
	return ""
}

func failureOf(err error) string {
	switch {
	case errors.Is(err, fasthttp.ErrTimeout), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	default:
		return "connection"
	}
}

// ServedFrom is where a feed came from, as it says itself.
func ServedFrom(body []byte) string { return wordAfter(body, `"served_from":"`) }

// wordAfter is what stands between a key's last place and the next quotation mark.
func wordAfter(body []byte, key string) string {
	at := bytes.LastIndex(body, []byte(key))
	if at < 0 {
		return "nowhere"
	}
	word := body[at+len(key):]
	if end := bytes.IndexByte(word, '"'); end >= 0 {
		word = word[:end]
	}
	switch string(word) { // without an allocation for each answer
	case "cache":
		return "cache"
	case "clickhouse":
		return "clickhouse"
	default:
		return string(word)
	}
}
