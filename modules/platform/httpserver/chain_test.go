package httpserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/test/wait"
)

func ok(c echo.Context) error { return c.NoContent(http.StatusNoContent) }

func get(path string, access httpserver.Access) httpserver.Route {
	return httpserver.Route{Method: http.MethodGet, Path: path, Access: access, Handler: ok}
}

// answer is what fetch got, its body read to the end.
type answer struct {
	StatusCode int
	Header     http.Header
}

func fetch(t *testing.T, client *http.Client, url string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return answer{response.StatusCode, response.Header}
}

func TestWhatIsForOperatorsIsAtTheirAddressAlone(t *testing.T) {
	routes := []httpserver.Route{
		get("/public", httpserver.Public), get("/user", httpserver.User), get("/admin", httpserver.Admin),
		get("/ops", httpserver.Ops), get("/debug", httpserver.Debug),
	}
	statuses := func(client *http.Client, addr string) (got []int) {
		for _, try := range [][2]string{
			{"/public", ""},
			{"/user", "user"},
			{"/admin", "admin"},
			{"/ops", ""},
			{"/debug", ""},
		} {
			got = append(got, fetch(t, client, "http://"+addr+try[0], "Authorization", try[1]).StatusCode)
		}
		return got
	}
	s, client := serveWith(t, func(c *httpserver.Config) { c.AdminAddr = "127.0.0.1:0" }, nil, routes...)
	require.Equal(t, []int{204, 204, 404, 404, 404}, statuses(client, s.Addr()))
	require.Equal(t, []int{204, 404, 204, 204, 204}, statuses(client, s.AdminAddr()))

	s, client = serveWith(t, nil, nil, routes...)
	require.Equal(t, s.Addr(), s.AdminAddr())
	require.Equal(t, []int{204, 204, 204, 204, 404}, statuses(client, s.Addr()),
		"profiles are never at the address of users")
}

func TestAUserAndAnAddressAreHeldToTheirRates(t *testing.T) {
	left := map[any]int{core.ID(7): 2, netip.MustParseAddr("203.0.113.9"): 1}
	take := func(key any, name string) httpserver.Quota {
		left[key]--
		return httpserver.Quota{
			OK: left[key] >= 0, Limit: 2, Remaining: max(0, left[key]), Reset: 30 * time.Second,
			Retry: 1500 * time.Millisecond,
			Name:  name, Policy: name + ";q=2;w=60",
		}
	}
	limits := httpserver.Limits{
		User:    func(id core.ID) httpserver.Quota { return take(id, `"user"`) },
		Address: func(addr netip.Addr) httpserver.Quota { return take(addr, `"address"`) },
	}
	s, client := serveWith(t, func(c *httpserver.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} },
		[]httpserver.Option{httpserver.WithLimits(limits)}, get("/user", httpserver.User),
		get("/public", httpserver.Public), get("/ops", httpserver.Ops))
	url := "http://" + s.Addr()

	first := fetch(t, client, url+"/user", "Authorization", "user")
	require.Equal(t, http.StatusNoContent, first.StatusCode)
	require.Equal(t, `"user";q=2;w=60`, first.Header.Get("RateLimit-Policy"))
	require.Equal(t, `"user";r=1;t=30`, first.Header.Get("RateLimit"))
	require.Equal(t, http.StatusNoContent, fetch(t, client, url+"/user", "Authorization", "user").StatusCode)
	third := fetch(t, client, url+"/user", "Authorization", "user")
	require.Equal(t, http.StatusTooManyRequests, third.StatusCode)
	require.Equal(t, "2", third.Header.Get("Retry-After"))
	require.Equal(t, `"user";r=0;t=30`, third.Header.Get("RateLimit"))

	// The address is the last one that no trusted proxy added, whatever the client itself claims.
	claimed := []string{"Authorization", "service", "X-Forwarded-For", "198.51.100.1, 203.0.113.9"}
	left[core.ID(8)] = 10
	require.Equal(t, http.StatusNoContent, fetch(t, client, url+"/user", claimed...).StatusCode)
	require.Equal(t, http.StatusTooManyRequests, fetch(t, client, url+"/user", claimed...).StatusCode)
	for _, path := range []string{"/public", "/ops"} {
		require.Equal(t, http.StatusNoContent, fetch(t, client, url+path, claimed...).StatusCode,
			"probes are answered to everybody")
	}
}

func TestAnAddressIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	var asked []netip.Addr
	limits := httpserver.Limits{Address: func(addr netip.Addr) httpserver.Quota {
		asked = append(asked, addr)
		return httpserver.Quota{OK: true}
	}}
	s, client := serveWith(t, func(c *httpserver.Config) { c.Unlimited = nil },
		[]httpserver.Option{httpserver.WithLimits(limits)}, get("/user", httpserver.User))
	fetch(t, client, "http://"+s.Addr()+"/user", "Authorization", "user", "X-Forwarded-For", "203.0.113.9", "X-Real-Ip",
		"203.0.113.9")
	require.Equal(t, []netip.Addr{netip.MustParseAddr("127.0.0.1")}, asked)
}

func TestBrowsersAreToldToKeepOutUnlessAnOriginIsConfigured(t *testing.T) {
	url, client := serve(t, nil, get("/user", httpserver.User))
	closed := fetch(t, client, url+"/user", "Authorization", "user", "Origin", "https://app.example")
	for header, want := range map[string]string{
		"Access-Control-Allow-Origin": "", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
		"Strict-Transport-Security": "",
	} {
		require.Equal(t, want, closed.Header.Get(header), header)
	}
	require.Equal(t, "nosniff", fetch(t, client, url+"/nowhere").Header.Get("X-Content-Type-Options"), "errors, too")

	url, client = serve(t, func(c *httpserver.Config) { c.CORS.Origins = []string{"https://app.example"} },
		get("/user", httpserver.User))
	origin := func(name string) string {
		return fetch(t, client, url+"/user", "Authorization", "user", "Origin",
			name).Header.Get("Access-Control-Allow-Origin")
	}
	require.Equal(t, "https://app.example", origin("https://app.example"))
	require.Empty(t, origin("https://evil.example"))
	require.Empty(t, origin("https://app.example.evil.example"))

	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, url+"/user", nil)
	require.NoError(t, err)
	request.Header.Set("Origin", "https://app.example")
	request.Header.Set("Access-Control-Request-Method", "GET")
	preflight, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, preflight.Body.Close())
	require.Equal(t, http.StatusNoContent, preflight.StatusCode)
	require.Contains(t, preflight.Header.Get("Access-Control-Allow-Headers"), "Authorization")
}

func TestARequestIDIsTheClientsIfItMayBeRepeatedInLogs(t *testing.T) {
	url, client := serve(t, nil, get("/public", httpserver.Public))
	answered := func(id string) string {
		return fetch(t, client, url+"/public", "X-Request-Id", id).Header.Get("X-Request-Id")
	}
	for _, id := range []string{
		"abc", strings.Repeat("x", 64), "01ARZ3NDEKTSV4RRFFQ69G5FAV", "Root=1-67891233-abcdef012345678912345678", "a/b+c:d.e_f",
	} {
		require.Equal(t, id, answered(id))
	}
	for _, id := range []string{"", strings.Repeat("x", 65), "a b", "eve@example.com", "a\xffb", "é", "a\"b"} {
		made, err := uuid.Parse(answered(id))
		require.NoError(t, err, "%q", id)
		require.NotEqual(t, uuid.Nil, made)
	}
}

// dial opens a bare connection to the server.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return conn
}

func TestClientsThatTrickleAreHungUpOn(t *testing.T) {
	read := func(c echo.Context) error {
		_, err := io.Copy(io.Discard, c.Request().Body)
		return err
	}
	s, _ := serveWith(t, func(c *httpserver.Config) {
		c.ReadHeaderTimeout, c.ReadTimeout = 100*time.Millisecond, 200*time.Millisecond
	}, nil, route("/", httpserver.Public, read))
	for name, opening := range map[string]string{
		"nothing":       "",
		"half a header": "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"half a body":   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
		"chunks":        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, s.Addr())
			_, err := io.WriteString(conn, opening)
			require.NoError(t, err)
			answer, err := io.ReadAll(conn)
			require.NoError(t, err, "the server hangs up before our own deadline")
			require.NotContains(t, string(answer), "HTTP/1.1 5")
		})
	}
}

func TestHeadersBeyondTheLimitAreRefused(t *testing.T) {
	s, _ := serveWith(t, func(c *httpserver.Config) { c.MaxHeaderBytes = 1024 }, nil, get("/", httpserver.Public))
	conn := dial(t, s.Addr())
	// it may hang up meanwhile
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: %s\r\n\r\n", strings.Repeat("x", 20_000))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
}

// served tells whether a connection is let in.
func served(t *testing.T, conn net.Conn) bool {
	t.Helper()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // it may be closed already
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	require.NoError(t, response.Body.Close())
	return response.StatusCode == http.StatusNoContent
}

func TestMoreConnectionsThanAllowedAreClosedAndMakeRoomWhenTheyEnd(t *testing.T) {
	for name, change := range map[string]func(*httpserver.Config){
		"in all":     func(c *httpserver.Config) { c.MaxConnections = 3 },
		"of address": func(c *httpserver.Config) { c.MaxPerAddress, c.Unlimited = 3, nil },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := serveWith(t, change, nil, get("/", httpserver.Public))
			var open []net.Conn
			for range 3 {
				conn := dial(t, s.Addr())
				require.True(t, served(t, conn))
				open = append(open, conn)
			}
			require.False(t, served(t, dial(t, s.Addr())))
			require.NoError(t, open[0].Close())
			wait.Until(t, func() bool { return served(t, dial(t, s.Addr())) })
		})
	}
}
