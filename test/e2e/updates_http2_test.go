package e2e

import (
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/test/stack"
)

// dials counts connections, and holds them to HTTP/2.
type dials struct {
	t  *testing.T
	on http.RoundTripper
	n  int
}

func (d *dials) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := d.on.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) {
			if !c.Reused {
				d.n++
			}
		},
	})))
	if err == nil {
		require.Equal(d.t, 2, answer.ProtoMajor)
	}
	return answer, err
}

// TestStreamsShareAConnectionOfHTTP2 opens as many as one connection carries, over TLS, as browsers do.
func TestStreamsShareAConnectionOfHTTP2(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.Feed.Updates.Heartbeat, cfg.Feed.Updates.MaxPerUser = time.Second, 200
	var err error
	cfg.HTTP.TLS.CertFile, cfg.HTTP.TLS.KeyFile, err = harness.Certificate(t.TempDir())
	require.NoError(t, err)
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	serving, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	dialled := &dials{t: t, on: transport}
	p := &program{t: t, cfg: cfg, url: "https://" + serving.Addr(), client: &http.Client{Transport: dialled}}
	p.live = p.client
	world(t, s)
	p.eventually("the seeded world reaches the feed", func() bool {
		_, now := p.feed(viewer, "limit=100")
		return len(now.Items) == 60 &&
			s.Count(t, "SELECT count() AS n FROM viewer_edges FINAL WHERE viewer_id = 1 AND kind = 'follow'") == 9
	})

	const most = 100 // of one connection
	since := "since=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339Nano))
	token := p.token(viewer, time.Hour)
	open := make([]*stream, most)
	for i := range open {
		open[i], _, _ = p.open(token, since)
		require.Equal(t, told0, open[i].next().data)
	}
	require.Equal(t, 1, dialled.n)
	status, _ := p.feed(viewer, "limit=5")
	require.Equal(t, http.StatusOK, status, "other calls go on")
	require.Equal(t, 2, dialled.n, "on another connection")
	require.Equal(t, sent{data: "heartbeat"}, open[0].any())
	open[0].cancel()
	insertPost(t, s, 3)
	for _, one := range open[1:] {
		require.Equal(t, told1, one.next().data)
	}
	require.NoError(t, serving.Stop())
	for _, one := range open[1:] {
		require.Equal(t, sent{name: "end", data: `{"reason":"draining"}`}, one.next())
		require.NoError(t, <-one.ended, "the answer is whole")
	}
}
