package eventstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// movable is the machine's clock plus an offset.
type movable struct{ offset atomic.Int64 }

func (c *movable) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// served are streams behind a server, all of one user.
type served struct {
	*Streams
	t      *testing.T
	clock  *movable
	server *httptest.Server
	opened chan *Stream
	ends   atomic.Int64
}

func serve(t *testing.T, http2 bool, options Options) *served {
	t.Helper()
	clock := &movable{}
	s := &served{
		Streams: New(options, clock, prometheus.NewRegistry()), t: t, clock: clock, opened: make(chan *Stream, 10),
	}
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		one, err := s.enter(7, time.Time{})
		if err != nil {
			return c.String(http.StatusServiceUnavailable, err.Error())
		}
		one.OnEnd(func() { s.ends.Add(1) })
		s.opened <- one
		return s.Serve(c, one, Append(nil, "hello", "1", []byte("{}")))
	})
	s.server = httptest.NewUnstartedServer(e)
	s.server.EnableHTTP2 = http2
	if http2 {
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	t.Cleanup(func() {
		s.End(t.Context())
		s.server.Close()
	})
	return s
}

// read opens a stream; what it sends comes line by line.
func (s *served) read() (one *Stream, lines *bufio.Reader, hangUp func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL, nil)
	require.NoError(s.t, err)
	response, err := s.server.Client().Do(request)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	require.Equal(s.t, "text/event-stream", response.Header.Get("Content-Type"))
	return <-s.opened, bufio.NewReader(response.Body), cancel
}

// expect reads so many lines.
func (s *served) expect(from *bufio.Reader, want string) {
	s.t.Helper()
	have := ""
	for range strings.Count(want, "\n") {
		line, err := from.ReadString('\n')
		require.NoError(s.t, err, have)
		have += line
	}
	require.Equal(s.t, want, have)
}

func options() Options {
	return Options{
		Most: 4, MostOfUser: 3, Heartbeat: time.Minute, MaxAge: time.Hour, WriteTimeout: 5 * time.Second,
		Retry: 3 * time.Second,
	}
}

const hello = "retry: 3000\n\nevent: hello\nid: 1\ndata: {}\n\n"

func TestAStreamOverEitherHTTPSendsBeatsAndEnds(t *testing.T) {
	for name, http2 := range map[string]bool{"1.1": false, "2": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, http2, options())
			one, lines, _ := s.read()
			s.expect(lines, hello)
			one.Send(Append(nil, "n", "2", []byte("2")))
			s.expect(lines, "event: n\nid: 2\ndata: 2\n\n")
			s.look()
			s.clock.offset.Add(int64(time.Minute))
			s.look()
			s.expect(lines, ":\n\n")
			s.look() // a heartbeat was sent a moment ago
			s.clock.offset.Add(int64(70 * time.Minute))
			s.look()
			s.expect(lines, "retry: 3000\nevent: end\ndata: {\"reason\":\"max_age\"}\n\n")
			_, err := lines.ReadByte()
			require.Equal(t, io.EOF, err, "the answer is whole")
			wait.Until(t, func() bool { return s.ends.Load() == 1 })
			require.InDelta(t, 1, testutil.ToFloat64(s.metrics.heartbeats), 0)
			require.InDelta(t, 1, testutil.ToFloat64(s.metrics.ended.WithLabelValues(old)), 0)
			require.Empty(t, s.open)
			require.Empty(t, s.of)
		})
	}
}

func TestOnlyTheLatestEventWaitsForASlowClientWhichIsEnded(t *testing.T) {
	for name, http2 := range map[string]bool{"1.1": false, "2": true} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.WriteTimeout = 50 * time.Millisecond
			s := serve(t, http2, o)
			one, _, _ := s.read() // and reads nothing more
			much := []byte(strings.Repeat("x", 4<<20))
			wait.Until(t, func() bool {
				one.Send(Append(nil, "n", "", much))
				return testutil.ToFloat64(s.metrics.ended.WithLabelValues(slow)) == 1
			})
			wait.Until(t, func() bool { return s.ends.Load() == 1 })
		})
	}
}

func TestStreamsAreBoundedInAllAndOfAUser(t *testing.T) {
	s := serve(t, false, options())
	for range 3 {
		s.read()
	}
	_, err := s.enter(7, time.Time{})
	require.Equal(t, core.CodeRateLimited, core.CodeOf(err))
	other, err := s.enter(8, time.Time{})
	require.NoError(t, err)
	_, err = s.enter(9, time.Time{})
	require.Equal(t, core.CodeOverloaded, core.CodeOf(err))
	other.Cancel()
	again, err := s.enter(9, time.Time{})
	require.NoError(t, err, "its place is free")
	again.Cancel()
}

func TestAClientThatHangsUpLeavesItsPlace(t *testing.T) {
	for name, http2 := range map[string]bool{"1.1": false, "2": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, http2, options())
			_, lines, hangUp := s.read()
			s.expect(lines, hello)
			hangUp()
			wait.Until(t, func() bool { return testutil.ToFloat64(s.metrics.ended.WithLabelValues(gone)) == 1 })
			wait.Until(t, func() bool { return s.ends.Load() == 1 })
		})
	}
}

func TestWhenTheReplicaStopsClientsComeBackAtTimesOfTheirOwn(t *testing.T) {
	s := serve(t, false, options())
	one, lines, _ := s.read()
	s.expect(lines, hello)
	one.Send(Append(nil, "n", "", []byte("1")))
	s.End(t.Context())
	s.expect(lines, "event: n\ndata: 1\n\n")
	retry, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^retry: 300\d\n$`, retry)
	s.expect(lines, "event: end\ndata: {\"reason\":\"draining\"}\n\n")
	_, err = lines.ReadByte()
	require.Equal(t, io.EOF, err)
	_, err = s.enter(8, time.Time{})
	require.Equal(t, core.CodeUnavailable, core.CodeOf(err))
}

func TestATokensTimeEndsItsStream(t *testing.T) {
	s := New(options(), &movable{}, prometheus.NewRegistry())
	expires := time.Now().Add(time.Minute)
	one, err := s.enter(7, expires)
	require.NoError(t, err)
	require.Equal(t, expires, one.until)
	require.Equal(t, expired, one.reason)
	one.Cancel()
}

// TestATakenConnectionIsAnAnswerForHTTP10 asks as nginx does by default.
func TestATakenConnectionIsAnAnswerForHTTP10(t *testing.T) {
	s := serve(t, false, options())
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	require.NoError(t, err)
	go s.End(t.Context())
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.NotContains(t, string(text), "chunked")
	_, body, _ := strings.Cut(string(text), "\r\n\r\n")
	require.True(t, strings.HasPrefix(body, "retry: 3000\n\nevent: hello\n") || strings.Contains(body, "stops"), body)
}
