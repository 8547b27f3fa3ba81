package provider_test

import (
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/console/provider"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/idp"
)

const here = "http://127.0.0.1:1" + provider.CallbackPath

// clock is one that a test moves.
type clock struct{ ahead time.Duration }

func (c *clock) Now() time.Time { return time.Now().Add(c.ahead) }

// login is a console and a provider.
type login struct {
	t     *testing.T
	there *idp.Provider
	cfg   provider.Config
	p     *provider.Provider
	clock *clock
}

func newLogin(t *testing.T, change ...func(*provider.Config)) *login {
	t.Helper()
	l := &login{t: t, there: idp.New(t, here), clock: &clock{}}
	l.cfg = provider.DefaultConfig()
	l.cfg.Issuer, l.cfg.RedirectURL = l.there.URL, here
	l.cfg.ClientID, l.cfg.ClientSecret = idp.ClientID, idp.ClientSecret
	l.cfg.AdminWhen, l.cfg.ReadWhen = []string{"ops", "sre"}, []string{"staff"}
	for _, c := range change {
		c(&l.cfg)
	}
	require.Empty(t, l.cfg.Check())
	p, err := provider.New(l.cfg, l.clock)
	require.NoError(t, err)
	l.p = p
	return l
}

// begin is a browser that goes to the provider and is sent back.
func (l *login) begin() (cookie string, answer url.Values) {
	l.t.Helper()
	address, cookie, err := l.p.Begin(l.t.Context(), "/console/feed?user=1")
	require.NoError(l.t, err)
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true},
	}
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, address, nil)
	require.NoError(l.t, err)
	response, err := client.Do(request)
	require.NoError(l.t, err)
	require.NoError(l.t, response.Body.Close())
	require.Equal(l.t, http.StatusSeeOther, response.StatusCode)
	back, err := url.Parse(response.Header.Get("Location"))
	require.NoError(l.t, err)
	require.True(l.t, strings.HasPrefix(back.String(), here))
	return cookie, back.Query()
}

func (l *login) finish() (provider.Operator, error) {
	l.t.Helper()
	cookie, answer := l.begin()
	who, next, err := l.p.Finish(l.t.Context(), cookie, answer)
	if err == nil {
		require.Equal(l.t, "/console/feed?user=1", next)
	}
	return who, err
}

// refused holds that nobody was logged in, and what they are told.
func refused(t *testing.T, err error, status int, what string) {
	t.Helper()
	var said *provider.Refusal
	require.ErrorAs(t, err, &said)
	require.Equal(t, status, said.Status, err)
	require.Contains(t, said.What, what)
	require.NotEmpty(t, said.Do)
}

func TestWhatTheProviderSaysIsTheRole(t *testing.T) {
	for name, c := range map[string]struct {
		says  map[string]any
		claim string
		want  provider.Operator
		none  bool
	}{
		"changes": {
			says: map[string]any{"groups": []string{"x", "sre"}},
			want: provider.Operator{Name: "s1"},
		},
		"reads": {
			says: map[string]any{"groups": []string{"staff"}},
			want: provider.Operator{Name: "s1", Reads: true},
		},
		"both": {
			says: map[string]any{"groups": []string{"staff", "ops"}},
			want: provider.Operator{Name: "s1"},
		},
		"a text":           {says: map[string]any{"groups": "ops"}, want: provider.Operator{Name: "s1"}},
		"words in a text":  {says: map[string]any{"groups": "not ops"}, none: true},
		"another":          {says: map[string]any{"groups": []string{"opsx", "Ops"}}, none: true},
		"none":             {says: map[string]any{"groups": []string{}}, none: true},
		"no claim":         {says: nil, none: true},
		"of another claim": {says: map[string]any{"roles": []string{"ops"}}, none: true},
		"within": {
			claim: "realm.roles", says: map[string]any{"realm": map[string]any{"roles": []string{"ops"}}},
			want: provider.Operator{Name: "s1"},
		},
		"with a dot": {
			claim: "https://x.example/roles", says: map[string]any{"https://x.example/roles": "ops"},
			want: provider.Operator{Name: "s1"},
		},
		"a number": {says: map[string]any{"groups": 7}, none: true},
		"named": {
			says: map[string]any{"groups": "ops", "email": "ana@x.example", "email_verified": true},
			want: provider.Operator{Name: "ana@x.example"},
		},
		"named, unconfirmed": {
			says: map[string]any{"groups": "ops", "email": "ana@x.example", "email_verified": false},
			want: provider.Operator{Name: "s1"},
		},
		"named oddly": {
			says: map[string]any{"groups": "ops", "email": "a\x00b"},
			want: provider.Operator{Name: "s1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLogin(t, func(cfg *provider.Config) {
				if c.claim != "" {
					cfg.RolesClaim = c.claim
				}
			})
			l.there.Comes("s1", c.says)
			who, err := l.finish()
			if c.none {
				refused(t, err, http.StatusForbidden, "You may not open the console")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, who)
		})
	}
}

func TestWhatTheIDTokenLacksIsAskedFor(t *testing.T) {
	l := newLogin(t)
	l.there.Comes("s1", nil)
	l.there.Tells(map[string]any{"groups": []string{"ops"}, "email": "ana@x.example"})
	who, err := l.finish()
	require.NoError(t, err)
	require.Equal(t, provider.Operator{Name: "ana@x.example"}, who)
	l.there.Comes("s1", map[string]any{"groups": []string{"staff"}})
	l.there.Tells(map[string]any{"groups": []string{"ops"}, "email": "ana@x.example"})
	who, err = l.finish()
	require.NoError(t, err)
	require.True(t, who.Reads, "what the ID token says holds")
	l.there.Comes("s1", nil)
	l.there.Tells(map[string]any{"groups": []string{"ops"}, "sub": "s2"})
	_, err = l.finish()
	refused(t, err, http.StatusUnauthorized, "does not hold")
}

func TestAnIDTokenThatDoesNotHoldLogsNobodyIn(t *testing.T) {
	l := newLogin(t)
	for name, c := range map[string]struct {
		change func(jwt.MapClaims)
		signer *rsa.PrivateKey
	}{
		"nonce":        {change: func(c jwt.MapClaims) { c["nonce"] = "another" }},
		"no nonce":     {change: func(c jwt.MapClaims) { delete(c, "nonce") }},
		"expired":      {change: func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Second).Unix() }},
		"no expiry":    {change: func(c jwt.MapClaims) { delete(c, "exp") }},
		"issuer":       {change: func(c jwt.MapClaims) { c["iss"] = "https://evil.example" }},
		"audience":     {change: func(c jwt.MapClaims) { c["aud"] = "another" }},
		"party":        {change: func(c jwt.MapClaims) { c["azp"] = "another" }},
		"no subject":   {change: func(c jwt.MapClaims) { delete(c, "sub") }},
		"another key":  {signer: idp.NewKey(t)},
		"before times": {change: func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(time.Hour).Unix() }},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.there.Comes("s1", map[string]any{"groups": "ops"})
			l.there.Lies(c.change, c.signer)
			_, err := l.finish()
			refused(t, err, http.StatusUnauthorized, "does not hold")
		})
	}
	l.t = t
	l.there.Comes("s1", map[string]any{"groups": "ops"})
	_, err := l.finish()
	require.NoError(t, err, "and one that holds does")
}

func TestALoginIsFinishedByTheBrowserThatBeganIt(t *testing.T) {
	l := newLogin(t)
	l.there.Comes("s1", map[string]any{"groups": "ops"})
	cookie, answer := l.begin()
	other, others := l.begin()
	finish := func(cookie string, answer url.Values) error {
		_, _, err := l.p.Finish(t.Context(), cookie, answer)
		return err
	}
	for name, wrong := range map[string]error{
		"no cookie":       finish("", answer),
		"another's":       finish(other, answer),
		"a made up one":   finish(strings.Repeat("A", 200), answer),
		"a changed one":   finish(cookie[:20]+"A"+cookie[21:]+"B", answer),
		"no state":        finish(cookie, url.Values{"code": answer["code"]}),
		"another state":   finish(cookie, url.Values{"code": answer["code"], "state": {"x"}}),
		"another issuer":  finish(cookie, url.Values{"code": answer["code"], "state": answer["state"], "iss": {"https://x.example"}}),
		"an error's code": finish("", url.Values{"error": {"access_denied"}}),
	} {
		t.Run(name, func(t *testing.T) { refused(t, wrong, http.StatusBadRequest, "not begun here") })
	}
	// The code of one login with the verifier of another: that is what PKCE is against.
	stolen := url.Values{"code": answer["code"], "state": others["state"], "iss": others["iss"]}
	refused(t, finish(other, stolen), http.StatusUnauthorized, "does not take the login's code")

	cookie, answer = l.begin()
	l.clock.ahead = provider.PendingFor + time.Second
	refused(t, finish(cookie, answer), http.StatusBadRequest, "too long ago")
	l.clock.ahead = 0
	require.NoError(t, finish(cookie, answer))
	refused(t, finish(cookie, answer), http.StatusUnauthorized, "does not take the login's code")

	replica, err := provider.New(l.cfg, l.clock)
	require.NoError(t, err)
	cookie, answer = l.begin()
	_, _, err = replica.Finish(t.Context(), cookie, answer)
	require.NoError(t, err, "another replica can finish it")
}

func TestAProviderThatRefusesOrIsAwayIsTold(t *testing.T) {
	l := newLogin(t)
	_, err := l.finish() // nobody is there
	refused(t, err, http.StatusForbidden, "did not log you in")
	require.Contains(t, err.Error(), "access_denied: nobody is here")

	l.there.Comes("s1", map[string]any{"groups": "ops"})
	cookie, answer := l.begin()
	l.there.Close()
	_, _, err = l.p.Finish(t.Context(), cookie, answer)
	refused(t, err, http.StatusServiceUnavailable, "does not answer")
	late, err := provider.New(l.cfg, l.clock)
	require.NoError(t, err)
	_, _, err = late.Begin(t.Context(), "")
	refused(t, err, http.StatusServiceUnavailable, "does not answer")
}

func TestTheConfigurationSaysWhatIsMissing(t *testing.T) {
	require.Empty(t, provider.DefaultConfig().Check())
	cfg := provider.DefaultConfig()
	none, err := provider.New(cfg, core.SystemClock{})
	require.NoError(t, err)
	require.Nil(t, none)
	require.Nil(t, cfg.SessionKey())

	cfg.Issuer = "http://login.example.com"
	wrong := cfg.Check()
	for _, key := range []string{"issuer", "client_id", "client_secret", "redirect_url", "admin_when"} {
		require.NotEmpty(t, wrong[key], key)
	}
	cfg.Issuer, cfg.ClientID, cfg.ReadWhen = "https://login.example.com", "c", []string{"staff"}
	cfg.ClientSecret = strings.Repeat("s", 16)
	for address, right := range map[string]bool{
		"https://ops.example.com/console/login/oidc": true, "http://localhost:8081/console/login/oidc": true,
		"http://ops.example.com/console/login/oidc": false, "https://ops.example.com/": false,
		"https://ops.example.com/console/login/oidc?x=1": false, "/console/login/oidc": false,
	} {
		cfg.RedirectURL = address
		require.Equal(t, right, len(cfg.Check()) == 0, "%s: %v", address, cfg.Check())
	}
	key := cfg.SessionKey()
	require.Len(t, key, 32)
	require.Equal(t, key, cfg.SessionKey())
	cfg.ClientSecret += "t"
	require.NotEqual(t, key, cfg.SessionKey())
}
