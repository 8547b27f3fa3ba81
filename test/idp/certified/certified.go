// Package certified runs oidc-provider, a certified OpenID provider in Node.js, which npm fetches by the lock file
// beside this. Whoever logs in there by a name such as ops-ana is in the group ops.
package certified

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/npm"
)

// Start starts one that knows a client, and gives its issuer.
func Start(t *testing.T, clientID, clientSecret, redirect string) string {
	t.Helper()
	dir, err := npm.Fetched(t.Context(), "test/idp/certified", "oidc-provider")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	node := exec.CommandContext(ctx, "node", "provider.mjs", clientID, clientSecret, redirect)
	node.Dir = dir
	said, err := node.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, node.Start())
	t.Cleanup(func() {
		stop()
		_ = node.Wait() // it was killed
	})
	issuer, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(issuer)
}

// LogIn is somebody at a browser, who logs in by a name where they were sent to, and agrees. It gives where they are
// led back to.
func LogIn(t *testing.T, address, name, redirect string) *url.URL {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{
		Jar: jar, Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	send := func(method string, form url.Values) (page string) {
		request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := client.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		if to, err := response.Location(); err == nil {
			address = to.String()
		}
		return string(text)
	}
	for range 10 { // two forms, and what leads from one to the next
		if strings.HasPrefix(address, redirect) {
			back, err := url.Parse(address)
			require.NoError(t, err)
			return back
		}
		switch page := send(http.MethodGet, nil); {
		case strings.Contains(page, `name="prompt" value="login"`):
			send(http.MethodPost, url.Values{"prompt": {"login"}, "login": {name}, "password": {"x"}})
		case strings.Contains(page, `name="prompt" value="consent"`):
			send(http.MethodPost, url.Values{"prompt": {"consent"}})
		}
	}
	t.Fatalf("%s was not led back: %s", name, address)
	return nil
}
