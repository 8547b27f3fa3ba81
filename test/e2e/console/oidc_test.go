package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/console/provider"
	"github.com/feedrank/feedrank/test/idp"
	"github.com/feedrank/feedrank/test/stack"
)

// public is the console's address for a browser. Nobody listens there: what leads there is followed to the program.
const public = "http://localhost:1"

// newWorldWithProvider is one whose operators log in at a provider.
func newWorldWithProvider(t *testing.T) (*world, *idp.Provider) {
	t.Helper()
	there := idp.New(t, public+provider.CallbackPath)
	w := newWorldOn(t, stack.New(t), func(cfg *config.Config) {
		c := &cfg.Console.OIDC
		c.Issuer, c.RedirectURL = there.URL, public+provider.CallbackPath
		c.ClientID, c.ClientSecret = idp.ClientID, idp.ClientSecret
		c.AdminWhen, c.ReadWhen = []string{"ops"}, []string{"staff"}
	})
	return w, there
}

// logInAtProvider goes to the provider, and comes back with its answer.
func (b *browser) logInAtProvider(next string) {
	b.w.t.Helper()
	b.open("/console/login/oidc/begin?" + url.Values{"next": {next}}.Encode())
	require.Equal(b.w.t, http.StatusSeeOther, b.status, b.page)
	request, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.header.Get("Location"), nil)
	require.NoError(b.w.t, err)
	b.do(request)
	require.Equal(b.w.t, http.StatusSeeOther, b.status, b.page)
	b.open(strings.TrimPrefix(b.header.Get("Location"), public))
}

func TestOperatorsLogInAtTheProvider(t *testing.T) {
	w, there := newWorldWithProvider(t)
	b := w.browser()
	there.Comes("s1", map[string]any{"groups": []string{"ops"}, "email": "ana@x.example"})
	require.Contains(t, b.open("/console/login?next=%2Fconsole%2Foperations"), "Log in at "+strings.TrimPrefix(there.URL, "http://"))
	require.Contains(t, b.page, "/console/login/oidc/begin?next=%2Fconsole%2Foperations")
	b.logInAtProvider("/console/operations")
	require.Equal(t, http.StatusOK, b.status, b.page)
	require.Contains(t, b.page, `content="0; url=/console/operations"`)
	cookies := strings.Join(b.header.Values("Set-Cookie"), "\n")
	require.Regexp(t, `feedrank_console=[^;]+; Path=/console; Max-Age=43200; HttpOnly; SameSite=Strict`, cookies)
	require.Contains(t, cookies, "feedrank_console_login=; Path=/console/login; Max-Age=0; HttpOnly; SameSite=Lax")
	require.NotContains(t, cookies, idp.ClientSecret)
	b.until("/console/operations", ">closed<")
	require.Contains(t, b.page, "ana@x.example")
	require.Contains(t, b.page, ">operator<")
	force := url.Values{"do": {"breaker"}, "name": {"redis"}, "mode": {"open"}, "confirmed": {"yes"}}
	b.send("/console/operations", force)
	require.Equal(t, http.StatusForbidden, b.status, "without the mark of the session")
	b.open("/console/operations")
	b.submit("/console/operations", force)
	b.follow()
	b.until("/console/operations", "forced open")
	require.Regexp(t, `ana@x\.example</a>(?s:.*)breaker`, b.open("/console/actions"), "the record names them")

	reader := w.browser()
	there.Comes("s2", map[string]any{"groups": []string{"staff"}, "email": "eve@x.example"})
	reader.logInAtProvider("https://evil.example/")
	require.Contains(t, reader.page, `content="0; url=/console"`, "nowhere else")
	require.Contains(t, reader.open("/console/operations"), "reads only")
	reader.submit("/console/operations", force)
	require.Contains(t, reader.page, "not the one that only reads")

	b.open("/console/operations")
	b.submit("/console/logout", url.Values{})
	b.follow()
	require.Contains(t, b.page, "Log in at ")
	b.open("/console/operations")
	require.Equal(t, http.StatusSeeOther, b.status, "logged out")
}

func TestWhomTheProviderDoesNotLogInIsToldWhy(t *testing.T) {
	w, there := newWorldWithProvider(t)
	b := w.browser()
	there.Comes("s1", map[string]any{"groups": []string{"guests"}, "email": "mia@x.example"})
	b.logInAtProvider("/console/feed?user=1")
	require.Equal(t, http.StatusForbidden, b.status)
	require.Contains(t, b.page, "You may not open the console")
	require.Contains(t, b.page, "mia@x.example")
	require.Contains(t, b.page, `name="token"`, "a token would do")
	require.NotContains(t, strings.Join(b.header.Values("Set-Cookie"), "\n"), "feedrank_console=")

	there.Comes("s1", map[string]any{"groups": []string{"ops"}})
	there.Lies(func(c jwt.MapClaims) { c["nonce"] = "another" }, nil)
	b.logInAtProvider("/console")
	require.Equal(t, http.StatusUnauthorized, b.status)
	require.Contains(t, b.page, "What the provider says of you does not hold")
	there.Comes("s1", map[string]any{"groups": []string{"ops"}})
	b.open("/console/login/oidc?code=x&state=y")
	require.Equal(t, http.StatusBadRequest, b.status)
	require.Contains(t, b.page, "not begun here")
	b.open("/console/login/oidc?error=" + url.QueryEscape("<script>alert(1)</script>"))
	require.NotContains(t, b.page, "<script>alert")
	b.open("/console/operations")
	require.Equal(t, http.StatusSeeOther, b.status, "nobody is logged in")
}

func TestWithoutItsProviderTheConsoleOpensByToken(t *testing.T) {
	w, there := newWorldWithProvider(t)
	there.Close()
	b := w.browser()
	b.open("/console/login/oidc/begin")
	require.Equal(t, http.StatusServiceUnavailable, b.status)
	require.Contains(t, b.page, "The provider does not answer")
	require.Contains(t, b.page, "log in with a token below")
	require.Contains(t, w.operator("ana", false).open("/console/operations"), "Operations")

	none := newWorld(t).browser()
	require.NotContains(t, none.open("/console/login"), "Log in at")
	for _, path := range []string{"/console/login/oidc/begin", "/console/login/oidc?code=x&state=y"} {
		none.open(path)
		require.Equal(t, http.StatusNotFound, none.status)
	}
}
