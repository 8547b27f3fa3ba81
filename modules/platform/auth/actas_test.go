package auth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

func TestAServiceCallsForTheUserWhomItNames(t *testing.T) {
	v := verifier(t, config())
	service, err := auth.SignService(config(), "mailer", time.Hour, now)
	require.NoError(t, err)
	as := func(token string, users ...string) (httpserver.Principal, error) {
		h := bearer("Bearer " + token)
		for _, user := range users {
			h.Add(auth.HeaderActAs, user)
		}
		return v.Authenticate(h)
	}
	p, err := as(service, "42")
	require.NoError(t, err)
	expires := now.Add(time.Hour).Truncate(time.Second)
	require.Equal(t, expires, p.Expires.UTC())
	expires = p.Expires
	require.Equal(t, httpserver.Principal{UserID: 42, Subject: "mailer", Service: "mailer", Expires: expires}, p)
	p, err = as(service)
	require.NoError(t, err)
	require.Equal(t, httpserver.Principal{Subject: "mailer", Expires: expires}, p, "without a name it is nobody")
	for _, named := range [][]string{{""}, {"0"}, {"-0"}, {"4 2"}, {"9223372036854775808"}, {"1", "2"}} {
		_, err := as(service, named...)
		require.Equal(t, core.CodeInvalidRequest, core.CodeOf(err), "%q", named)
	}

	user, err := auth.Sign(config(), 7, false, time.Hour, now)
	require.NoError(t, err)
	admin, err := auth.Sign(config(), 7, true, time.Hour, now)
	require.NoError(t, err)
	nameless, err := auth.SignService(config(), "", time.Hour, now)
	require.NoError(t, err)
	for _, token := range []string{user, admin, nameless} {
		_, err := as(token, "42")
		require.Equal(t, core.CodeForbidden, core.CodeOf(err))
	}
	both, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "mailer", "iss": "app", "aud": "feedrank", "exp": now.Add(time.Hour).Unix(), "scope": "admin act-as",
	}).SignedString([]byte(secret))
	require.NoError(t, err)
	p, err = as(both, "42")
	require.NoError(t, err)
	require.False(t, p.Admin, "who acts as a user has no other rights meanwhile")
}

func FuzzAuthenticate(f *testing.F) {
	v, err := auth.NewVerifier(config(), fixedClock{}, prometheus.NewRegistry(), zap.NewNop())
	require.NoError(f, err)
	good, err := auth.Sign(config(), 42, false, time.Hour, now)
	require.NoError(f, err)
	service, err := auth.SignService(config(), "mailer", time.Hour, now)
	require.NoError(f, err)
	f.Add("Bearer "+good, "")
	f.Add("Bearer "+service, "7")
	f.Add("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "1")
	f.Fuzz(func(t *testing.T, authorization, actAs string) {
		h := http.Header{"Authorization": {authorization}}
		if actAs != "" {
			h.Set(auth.HeaderActAs, actAs)
		}
		p, err := v.Authenticate(h)
		switch {
		case err != nil:
			require.Contains(t, []core.Code{core.CodeUnauthenticated, core.CodeForbidden, core.CodeInvalidRequest},
				core.CodeOf(err))
		case p.Service == "mailer":
			require.Equal(t, p.UserID.String(), actAs)
		default: // nobody else has the secret
			require.Contains(t, []core.ID{0, 42}, p.UserID)
			require.False(t, p.Admin)
		}
	})
}
