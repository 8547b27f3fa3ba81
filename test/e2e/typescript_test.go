package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/chromium"
	"github.com/feedrank/feedrank/test/npm"
	"github.com/feedrank/feedrank/test/stack"
)

// typescript is the client's folder, built.
func typescript(t *testing.T) string {
	t.Helper()
	dir, err := npm.Fetched(t.Context(), "modules/clients/typescript", "typescript")
	require.NoError(t, err)
	runIn(t, dir, nil, "npm", "run", "--silent", "build")
	return dir
}

func runIn(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	command := osexec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestTheTypesOfTheTypeScriptClientAreThoseOfTheDocument(t *testing.T) {
	dir := typescript(t)
	fresh := filepath.Join(t.TempDir(), "api.ts")
	runIn(t, dir, nil, "npx", "openapi-typescript", "../../openapi/openapi.yaml", "-o", fresh)
	want, err := os.ReadFile(fresh)
	require.NoError(t, err)
	have, err := os.ReadFile(filepath.Join(dir, "src", "api.ts"))
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "run npm run types in modules/clients/typescript")
}

// TestTheTypeScriptClient runs the client's own tests, and its example in a browser, against the program.
func TestTheTypeScriptClient(t *testing.T) {
	dir := typescript(t)
	s := stack.New(t)
	pages := http.NewServeMux() // the app's own: its pages, and who posts
	pages.Handle("GET /", http.FileServer(http.Dir(dir)))
	pages.HandleFunc("POST /post", func(http.ResponseWriter, *http.Request) { insertPost(t, s, 3) })
	site := httptest.NewServer(pages)
	defer site.Close()
	cfg := settings(t, s, "all")
	cfg.HTTP.CORS.Origins, cfg.Feed.Updates.Retry = []string{site.URL}, 100*time.Millisecond
	p := start(t, cfg)
	world(t, s)
	p.eventually("the seeded world reaches the feed", func() bool {
		_, now := p.feed(20, "limit=100")
		return len(now.Items) == 60 &&
			s.Count(t, "SELECT count() AS n FROM viewer_edges FINAL WHERE viewer_id = 1 AND kind = 'follow'") == 9
	})
	token := p.token(viewer, time.Hour)
	runIn(t, dir, []string{"FEEDRANK_URL=" + p.url, "FEEDRANK_TOKEN=" + token, "FEEDRANK_POST=" + site.URL + "/post"},
		"npm", "test")

	b, err := chromium.Start(t.Context(), "favicon.ico")
	require.NoError(t, err)
	defer b.Close()
	ctx, cancel := b.Within(time.Minute)
	defer cancel()
	address := site.URL + "/example/index.html#" + url.Values{"server": {p.url}, "token": {token}}.Encode()
	err = chromedp.Do(ctx, chromium.As(chromium.Looks()[0]), chromedp.Navigate(address),
		chromedp.WaitVisible("article:nth-of-type(8)"))
	require.NoError(t, errors.Join(err, b.Complaints()))
	insertPost(t, s, 3)
	require.NoError(t, chromedp.Do(ctx, chromedp.WaitVisible("#new:not([hidden])"),
		chromedp.Click("article:nth-of-type(2) button"),
		chromedp.WaitVisible(`article:nth-of-type(2) button[aria-pressed=true]`)))
	if file := os.Getenv("FEEDRANK_TEST_PICTURE"); file != "" {
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, picture, 0o600))
	}
	said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("#new").textContent`))
	require.NoError(t, err)
	require.Equal(t, "1 new post", said)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click("#new:not([hidden])")))
	p.eventually("the new page has the post", func() bool {
		fresh, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.querySelector("#new").hidden &&
			/Post 6\d /.test(document.querySelector("article")?.textContent)`))
		require.NoError(t, err)
		return fresh
	})
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"))) // the page is left, and sends what waits
	p.eventually("the like and the impressions count", func() bool {
		return s.Count(t, "SELECT count() AS n FROM events WHERE user_id = 1 AND action = 'like'") == 1 &&
			s.Count(t, "SELECT count() AS n FROM events WHERE user_id = 1 AND action = 'impression'") > 8
	})
	require.NoError(t, b.Complaints())
}
