package httpserver_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

func TestWhoCallsIsTheLastAddressThatNoTrustedProxyAdded(t *testing.T) {
	var asked netip.Addr
	limits := httpserver.Limits{Address: func(addr netip.Addr) httpserver.Quota {
		asked = addr
		return httpserver.Quota{OK: true}
	}}
	cfg := httpserver.DefaultConfig()
	cfg.Addr, cfg.Unlimited, cfg.TrustedProxies = "127.0.0.1:0", nil,
		[]string{"127.0.0.0/8", "10.0.0.0/8", "2001:db8:ffff::/48"}
	core, log := observer.New(zap.InfoLevel)
	reg := prometheus.NewRegistry()
	s := httpserver.New(cfg, []httpserver.Route{get("/user", httpserver.User)}, byHeader{}, &drained{}, nil, reg,
		zap.New(core), httpserver.WithLimits(limits))
	require.NoError(t, s.Start(t.Context()))
	client := &http.Client{Transport: &http.Transport{}}
	defer func() {
		client.CloseIdleConnections()
		require.NoError(t, s.Stop(context.Background()))
	}()
	const proxy = "127.0.0.1"
	for _, c := range []struct {
		header, value, want string
		unreadable          bool
	}{
		{"X-Forwarded-For", "203.0.113.7", "203.0.113.7", false},
		{"X-Forwarded-For", "203.0.113.7:51234", "203.0.113.7", false},
		{"X-Forwarded-For", "203.0.113.8:1", "203.0.113.8", false},
		{"X-Forwarded-For", "198.51.100.1, 203.0.113.9 , 10.1.1.1:80", "203.0.113.9", false},
		{"X-Forwarded-For", "unknown, 203.0.113.9", "203.0.113.9", false},
		{"X-Forwarded-For", "[2001:db8::1]:443", "2001:db8::", false},
		{"X-Forwarded-For", "[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::", false},
		{"X-Forwarded-For", "2001:db8:1:2:aaaa::", "2001:db8:1:2::", false},
		{"X-Forwarded-For", "::ffff:203.0.113.9", "203.0.113.9", false},
		{"X-Forwarded-For", "fe80::1%eth0", "fe80::", false},
		{"X-Forwarded-For", "203.0.113.9, 2001:db8:ffff::1", "203.0.113.9", false},
		{"X-Forwarded-For", "10.2.2.2, 10.1.1.1", "10.2.2.2", false},
		{"X-Forwarded-For", "203.0.113.9, unknown", proxy, true},
		{"X-Forwarded-For", "203.0.113.9, nonsense, 10.1.1.1", "10.1.1.1", true},
		{"X-Forwarded-For", "", proxy, true},
		{"X-Forwarded-For", "203.0.113.9:", proxy, true},
		{"X-Forwarded-For", "203.0.113.0/24", proxy, true},
		{"Forwarded", "for=192.0.2.43", "192.0.2.43", false},
		{"Forwarded", `For="[2001:db8:cafe::17]:4711"`, "2001:db8:cafe::", false},
		{"Forwarded", `for=192.0.2.60;proto=http;by=203.0.113.43`, "192.0.2.60", false},
		{"Forwarded", `for=198.51.100.17, for="192.0.2.61:47011";host="a,b;c", for=10.1.1.1`, "192.0.2.61", false},
		{"Forwarded", `for="192.0.2.62:_obfuscated"`, "192.0.2.62", false},
		{"Forwarded", `for=_hidden`, proxy, true},
		{"Forwarded", `for=unknown, for=10.1.1.1`, "10.1.1.1", true},
		{"Forwarded", `proto=https`, proxy, true},
		{"Forwarded", `for="unclosed`, proxy, true},
	} {
		unusable := func() float64 { return counted(t, reg, "unreadable") }
		before := unusable()
		asked = netip.Addr{}
		fetch(t, client, "http://"+s.Addr()+"/user", "Authorization", "user", c.header, c.value)
		require.Equal(t, netip.MustParseAddr(c.want), asked, "%s: %s", c.header, c.value)
		require.Equal(t, c.unreadable, unusable() > before, "%s: %s", c.header, c.value)
	}
	require.Equal(t, 1, log.FilterMessageSnippet("cannot be read").Len(), "it is said once")

	fetch(t, client, "http://"+s.Addr()+"/user", "Authorization", "user", "X-Forwarded-For", "203.0.113.7", "Forwarded",
		"for=203.0.113.7")
	require.Zero(t, counted(t, reg, "differ"))
	for range 3 {
		fetch(t, client, "http://"+s.Addr()+"/user", "Authorization", "user", "X-Forwarded-For", "203.0.113.7",
			"Forwarded", "for=203.0.113.8")
		require.Equal(t, netip.MustParseAddr("203.0.113.7"), asked)
	}
	require.EqualValues(t, 3, counted(t, reg, "differ"))
	require.Equal(t, 1, log.FilterMessageSnippet("different clients").Len())

	fetch(t, client, "http://"+s.Addr()+"/user", "Authorization", "user")
	require.Equal(t, netip.MustParseAddr(proxy), asked, "a proxy that calls itself")
}

func counted(t *testing.T, reg *prometheus.Registry, reason string) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "feedrank_http_forwarded_unusable_total" &&
				metric.GetLabel()[0].GetValue() == reason {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestEveryPathCountsAgainstTheRateOfAnAddressButProbes(t *testing.T) {
	var asked int
	limits := httpserver.Limits{Address: func(netip.Addr) httpserver.Quota {
		asked++
		return httpserver.Quota{Limit: 1, Name: `"address"`, Policy: `"address"`}
	}}
	s, client := serveWith(t, func(c *httpserver.Config) {
		c.Unlimited, c.CORS.Origins = nil,
			[]string{"https://app.example"}
	},
		[]httpserver.Option{httpserver.WithLimits(limits)}, get("/user", httpserver.User),
		get("/admin", httpserver.Admin),
		get("/document", httpserver.Anybody), get("/probe", httpserver.Public), get("/ops", httpserver.Ops))
	for i, c := range [][2]string{
		{"GET", "/user"},
		{"GET", "/admin"},
		{"GET", "/document"},
		{"GET", "/nothing"},
		{"POST", "/user"},
		{"POST", "/probe"},
		{"GET", "//probe"},
		{"OPTIONS", "/user"},
		{"PATCH", "/"},
		{"HEAD", "/user"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c[0], "http://"+s.Addr()+c[1], nil)
		require.NoError(t, err)
		request.Header.Set("Origin", "https://app.example")
		request.Header.Set("Access-Control-Request-Method", "GET")
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusTooManyRequests, response.StatusCode, c)
		require.Equal(t, i+1, asked, c)
	}
	asked = 0
	for _, path := range []string{"/probe", "/ops"} {
		require.Equal(t, http.StatusNoContent, fetch(t, client, "http://"+s.Addr()+path).StatusCode)
		response, _ := call(t, client, http.MethodHead, "http://"+s.Addr()+path, "", nil) //nolint:bodyclose // read and closed
		require.Equal(t, http.StatusNoContent, response.StatusCode, "HEAD %s", path)
	}
	require.Zero(t, asked)
}
