package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

func TestASessionIsAnOperatorAndNoUser(t *testing.T) {
	cfg := config()
	cfg.SessionKey = []byte(strings.Repeat("k", 32))
	v := verifier(t, cfg)
	for name, reads := range map[string]bool{"ana@x.example": false, "eve": true, "42": false} {
		token, err := auth.SignSession(cfg, name, reads, time.Hour, now)
		require.NoError(t, err)
		for range 2 { // the second is remembered
			p, err := v.Authenticate(bearer("Bearer " + token))
			require.NoError(t, err)
			require.Equal(t, now.Add(time.Hour).Unix(), p.Expires.Unix())
			p.Expires = time.Time{}
			require.Equal(t, httpserver.Principal{Subject: name, Admin: !reads, AdminRead: reads}, p)
		}
	}
	_, err := auth.SignSession(config(), "ana", false, time.Hour, now)
	require.Error(t, err, "without a key")
}

func TestASessionHoldsUnderItsOwnKeyAlone(t *testing.T) {
	cfg := config()
	cfg.SessionKey = []byte(strings.Repeat("k", 32))
	good, err := auth.SignSession(cfg, "ana", false, time.Hour, now)
	require.NoError(t, err)
	expired, err := auth.SignSession(cfg, "ana", false, -time.Hour, now)
	require.NoError(t, err)
	other := cfg
	other.SessionKey = []byte(strings.Repeat("x", 32))
	foreign, err := auth.SignSession(other, "ana", false, time.Hour, now)
	require.NoError(t, err)
	claims := jwt.MapClaims{
		"sub": "ana", "iss": "app", "aud": "feedrank", "exp": now.Add(time.Hour).Unix(), "scope": "admin",
	}
	sign := func(kid string, key []byte) string {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
		if kid != "" {
			token.Header["kid"] = kid
		}
		signed, err := token.SignedString(key)
		require.NoError(t, err)
		return signed
	}
	admits := func(cfg auth.Config, token string) bool {
		_, err := verifier(t, cfg).Authenticate(bearer("Bearer " + token))
		if err != nil {
			require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
		}
		return err == nil
	}
	require.True(t, admits(cfg, good))
	require.False(t, admits(cfg, expired))
	require.False(t, admits(cfg, foreign))
	require.False(t, admits(config(), good), "where no provider is configured")
	require.False(t, admits(cfg, sign("", cfg.SessionKey)), "it is no key of other tokens")
	require.False(t, admits(cfg, sign("feedrank-session", []byte(secret))), "nor is theirs one of sessions")

	keys := newKeySet(t)
	_, public := rsaKey(t, "r")
	keys.publish(public)
	alone := auth.DefaultConfig()
	alone.JWKSURL, alone.SessionKey = keys.URL, cfg.SessionKey
	token, err := auth.SignSession(alone, "ana", true, time.Hour, now)
	require.NoError(t, err)
	require.True(t, admits(alone, token), "beside a key set alone")
	require.False(t, admits(alone, sign("", []byte{})), "where no secret is set, the empty one signs nothing")
	none := auth.DefaultConfig()
	none.SessionKey = cfg.SessionKey
	_, err = auth.NewVerifier(none, fixedClock{}, nil, nil)
	require.ErrorIs(t, err, auth.ErrNoKeys)
}
