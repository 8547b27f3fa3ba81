package httpserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/test/wait"
)

// send writes to a connection; a server that hangs up meanwhile is no failure.
func send(conn net.Conn, format string, args ...any) { _, _ = fmt.Fprintf(conn, format, args...) }

// answerOn reads the answer, and tells how long the server took to end the connection.
func answerOn(t *testing.T, conn net.Conn) (status int, closed time.Duration) {
	t.Helper()
	began := time.Now()
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	_, _ = io.Copy(io.Discard, reader)
	return response.StatusCode, time.Since(began)
}

func TestNoByteOfABodyIsWaitedForBeforeARequestWasLetIn(t *testing.T) {
	read := func(c echo.Context) error {
		_, err := io.Copy(io.Discard, c.Request().Body)
		return err
	}
	s, _ := serveWith(t, func(c *httpserver.Config) { c.ReadTimeout = 8 * time.Second }, nil,
		route("/post", httpserver.User, read),
		route("/admin", httpserver.Admin, read), get("/get", httpserver.User), get("/probe", httpserver.Public))
	for name, c := range map[string]struct {
		head   string
		status int
	}{
		"too long":              {"POST /post HTTP/1.1\r\nAuthorization: user\r\nContent-Length: 2000000", 413},
		"too long, no token":    {"POST /post HTTP/1.1\r\nContent-Length: 2000000", 413},
		"too long, no path":     {"POST /nothing HTTP/1.1\r\nContent-Length: 2000000", 413},
		"no token":              {"POST /post HTTP/1.1\r\nContent-Length: 100", 401},
		"no token, chunked":     {"POST /post HTTP/1.1\r\nTransfer-Encoding: chunked", 401},
		"no token, expects":     {"POST /post HTTP/1.1\r\nContent-Length: 100\r\nExpect: 100-continue", 401},
		"not an operator":       {"POST /admin HTTP/1.1\r\nAuthorization: user\r\nContent-Length: 100", 403},
		"no path":               {"POST /nothing HTTP/1.1\r\nContent-Length: 100", 404},
		"another method":        {"PUT /post HTTP/1.1\r\nContent-Length: 100", 405},
		"a call without a body": {"GET /get HTTP/1.1\r\nAuthorization: user\r\nContent-Length: 100", 204},
		"a probe":               {"GET /probe HTTP/1.1\r\nTransfer-Encoding: chunked", 204},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, s.Addr())
			send(conn, "%s\r\nHost: x\r\n\r\n", c.head)
			status, took := answerOn(t, conn)
			require.Equal(t, c.status, status)
			require.Less(t, took, 4*time.Second, "it did not wait for http.read_timeout, and hung up")
		})
	}
}

func TestAClientThatStillWritesReadsWhyItIsRefused(t *testing.T) {
	s, _ := serveWith(t, nil, nil, route("/", httpserver.Public, ok))
	conn := dial(t, s.Addr())
	send(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 3<<20)
	send(conn, "%s", strings.Repeat("x", 3<<20))
	status, _ := answerOn(t, conn)
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
}

func TestABodyThatTricklesHoldsNoPlaceAndIsATimeout(t *testing.T) {
	cfg := admission.DefaultConfig()
	cfg.MaxConcurrent, cfg.MinConcurrent, cfg.MaxWait = 4, 4, 0
	s, client := serveWith(t, func(c *httpserver.Config) { c.ReadTimeout, c.MaxConcurrent = time.Second, 1 },
		[]httpserver.Option{httpserver.WithGate(admission.New(cfg, core.SystemClock{}, prometheus.NewRegistry()))},
		route("/", httpserver.User, ok), get("/feed", httpserver.User))
	var slow []net.Conn
	for i := range 20 {
		conn := dial(t, s.Addr())
		length := "Content-Length: 100\r\n\r\n{"
		if i%2 == 0 {
			length = "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
		}
		send(conn, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: user\r\n%s", length)
		slow = append(slow, conn)
	}
	for range 20 {
		require.Equal(t, http.StatusNoContent, fetch(t, client, "http://"+s.Addr()+"/feed", "Authorization",
			"user").StatusCode)
	}
	for _, conn := range slow {
		status, _ := answerOn(t, conn)
		require.Equal(t, http.StatusRequestTimeout, status)
	}
}

func TestWhenBodiesNeedMoreMemoryThanThereIsTheLongestOnItsWayIsGivenUp(t *testing.T) {
	s, client := serveWith(t, func(c *httpserver.Config) { c.MaxBodyBytes, c.MaxBodyMemory = 4096, 40<<10 }, nil,
		route("/", httpserver.User, ok))
	open := func() net.Conn {
		conn := dial(t, s.Addr())
		send(conn, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: user\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
		line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "100 Continue", "it is being read")
		return conn
	}
	first, second := open(), open()
	third := open() // 16 KiB each: there is room for two
	rest, err := io.ReadAll(first)
	require.NoError(t, err)
	require.Contains(t, string(rest), "408 Request Timeout")
	for range 3 {
		response, err := client.Do(post(t, "http://"+s.Addr()+"/", "0123456789"))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusNoContent, response.StatusCode,
			"a body that comes at once has room, whatever others do")
	}
	rest, err = io.ReadAll(second)
	require.NoError(t, err)
	require.Contains(t, string(rest), "408 Request Timeout", "it had to make room for one of those")
	send(third, "0123456789")
	status, err := bufio.NewReader(third).ReadString(' ')
	require.NoError(t, err)
	require.NotEmpty(t, status, "and the latest was let go on")
}

func post(t *testing.T, url, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "user")
	return request
}

func TestSilentConnectionsMakeRoomAndOperatorsHaveTheirOwn(t *testing.T) {
	s, _ := serveWith(t, func(c *httpserver.Config) {
		c.AdminAddr, c.MaxConnections, c.MaxPerAddress, c.Unlimited = "127.0.0.1:0", 3, 100, nil
		c.ReadHeaderTimeout, c.IdleTimeout = time.Minute, time.Hour // none of them ends by itself
	}, nil, get("/", httpserver.Public), get("/ops", httpserver.Ops))
	var silent []net.Conn
	for range 3 {
		silent = append(silent, dial(t, s.Addr()))
	}
	wait.Until(t, func() bool { return served(t, dial(t, s.Addr())) }, "the first is closed for it")
	_, err := io.ReadAll(silent[0])
	require.NoError(t, err, "it has ended")
	for range 10 { // more than there are for users
		dial(t, s.Addr())
	}
	require.True(t, served(t, dial(t, s.AdminAddr())))
}

func TestConnectionsThatAreSilentForLongAreClosedAndNoOthers(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	hold := httpserver.Route{
		Method: http.MethodGet, Path: "/hold", Access: httpserver.Public,
		Handler: func(c echo.Context) error {
			close(entered)
			<-release
			return c.NoContent(http.StatusNoContent)
		},
	}
	for _, unlimited := range [][]string{nil, {"127.0.0.1/32"}} { // operators' connections end as others'
		s, _ := serveWith(t, func(c *httpserver.Config) {
			c.IdleTimeout, c.ReadHeaderTimeout, c.Unlimited = 200*time.Millisecond, time.Minute, unlimited
		}, nil, get("/", httpserver.Public), hold)
		kept := dial(t, s.Addr())
		require.True(t, served(t, kept))
		_, err := io.ReadAll(kept)
		require.NoError(t, err, "it has ended")
		if unlimited != nil {
			continue
		}
		busy := dial(t, s.Addr())
		_, err = io.WriteString(busy, "GET /hold HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		<-entered
		silent := dial(t, s.Addr()) // which comes later, and is ended before
		_, err = io.ReadAll(silent)
		require.NoError(t, err)
		close(release)
		answer, err := io.ReadAll(busy)
		require.NoError(t, err)
		require.Contains(t, string(answer), "204 No Content")
	}
}

func TestATwentiethOfTheConnectionsIsKeptForOperatorsNetworks(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 40)
	hold := httpserver.Route{
		Method: http.MethodGet, Path: "/hold", Access: httpserver.Public,
		Handler: func(echo.Context) error {
			entered <- struct{}{}
			<-release
			return nil
		},
	}
	s, _ := serveWith(t, func(c *httpserver.Config) {
		c.MaxConnections, c.MaxPerAddress, c.Unlimited = 20, 100, []string{"127.0.0.1/32"}
	}, nil, get("/", httpserver.Public), hold)
	defer close(release)
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	stranger := func() net.Conn {
		conn, err := from.DialContext(t.Context(), "tcp", s.Addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		return conn
	}
	for range 19 {
		send(stranger(), "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
		<-entered
	}
	require.False(t, served(t, stranger()), "none of them is silent")
	require.True(t, served(t, dial(t, s.Addr())))
}

func TestAProxyHasAsManyConnectionsAsItsClientsNeed(t *testing.T) {
	s, _ := serveWith(t, func(c *httpserver.Config) {
		c.MaxConnections, c.MaxPerAddress, c.Unlimited, c.TrustedProxies = 100, 3, nil, []string{"127.0.0.9/32"}
	}, nil, get("/", httpserver.Public))
	from := func(last byte) net.Conn {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}
		conn, err := dialer.DialContext(t.Context(), "tcp", s.Addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		return conn
	}
	for range 3 {
		require.True(t, served(t, from(2)))
	}
	require.False(t, served(t, from(2)))
	require.True(t, served(t, from(3)), "another client has its own")
	for range 10 {
		require.True(t, served(t, from(9)))
	}
}

func TestHeadersBeyondTheLimitAreAProblemAndFarBeyondNetHTTPsOwn(t *testing.T) {
	url, client := serve(t, func(c *httpserver.Config) { c.MaxHeaderBytes = 1024 }, route("/", httpserver.Public, ok))
	for size, want := range map[int]int{
		700: http.StatusNoContent, 1024: http.StatusRequestHeaderFieldsTooLarge,
		6000: http.StatusRequestHeaderFieldsTooLarge,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/", nil)
		require.NoError(t, err)
		request.Header.Set("X-Large", strings.Repeat("x", size))
		response, err := client.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode, size)
		if want != http.StatusNoContent {
			require.Contains(t, string(body), `"code":"headers_too_large"`)
		}
	}
}

func TestAnAnswerThatNobodyReadsHoldsNoPlace(t *testing.T) {
	large := make([]byte, 16<<20)
	cfg := admission.DefaultConfig()
	cfg.MaxConcurrent, cfg.MinConcurrent, cfg.MaxWait = 4, 4, 0
	much := httpserver.Route{
		Method: http.MethodGet, Path: "/large", Access: httpserver.User,
		Handler: func(c echo.Context) error {
			return c.Blob(http.StatusOK, "text/plain", large)
		},
	}
	s, client := serveWith(t, func(c *httpserver.Config) { c.MaxConcurrent = 1 },
		[]httpserver.Option{httpserver.WithGate(admission.New(cfg, core.SystemClock{}, prometheus.NewRegistry()))},
		much,
		get("/small", httpserver.User))
	for range 6 {
		conn := dial(t, s.Addr())
		send(conn, "GET /large HTTP/1.1\r\nHost: x\r\nAuthorization: user\r\n\r\n")
		line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "200 OK", "each finds a place, though nobody reads the answers before")
	}
	require.Equal(t, http.StatusNoContent, fetch(t, client, "http://"+s.Addr()+"/small", "Authorization",
		"user").StatusCode)
}
