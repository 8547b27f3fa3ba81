package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

// raw signs claims as they are written.
func raw(t *testing.T, header, claims string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	signing := encode([]byte(header)) + "." + encode([]byte(claims))
	signature, err := jwt.SigningMethodHS256.Sign(signing, []byte(secret))
	require.NoError(t, err)
	return "Bearer " + signing + "." + encode(signature)
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

func TestAUsersIDIsReadExactlyFromTextOrANumber(t *testing.T) {
	for claim, want := range map[string]string{
		`"42"`: "42", `42`: "42", `9007199254740993`: "9007199254740993", `-1`: "-1", `"-1"`: "-1",
		`9223372036854775807`: "9223372036854775807",
		`9223372036854775808`: "", `42.0`: "", `4.2e1`: "", `1e3`: "", `0`: "", `-0`: "", `true`: "", `{"id":1}`: "",
		`[1]`: "", `""`: "", `null`: "",
	} {
		for name, cfg := range map[string]auth.Config{
			"sub":                    auth.DefaultConfig(),
			"https://app.example/id": auth.DefaultConfig(),
		} {
			cfg.HS256Secret, cfg.UserClaim = secret, name
			text, err := json.Marshal(name)
			require.NoError(t, err)
			p, err := verifier(t,
				cfg).Authenticate(bearer(raw(t, hs256, `{"exp":4102444800,`+string(text)+`:`+claim+`}`)))
			if want == "" {
				require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), claim)
				continue
			}
			require.NoError(t, err, claim)
			require.Equal(t, want, p.User().String(), claim)
		}
	}
}

func TestTheSubjectIsNobodyWhereAnotherClaimNamesTheUser(t *testing.T) {
	cfg := auth.DefaultConfig()
	cfg.HS256Secret, cfg.UserClaim = secret, "uid"
	v := verifier(t, cfg)
	_, err := v.Authenticate(bearer(raw(t, hs256, `{"exp":4102444800,"sub":"7"}`)))
	require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
	require.ErrorContains(t, err, "claim uid")
	p, err := v.Authenticate(bearer(raw(t, hs256, `{"exp":4102444800,"sub":"auth0|7","uid":9}`)))
	require.NoError(t, err)
	require.Equal(t, core.ID(9), p.UserID)
	require.Equal(t, "auth0|7", p.Subject)
	token, err := auth.Sign(cfg, 5, false, time.Hour, now)
	require.NoError(t, err)
	p, err = v.Authenticate(bearer("Bearer " + token))
	require.NoError(t, err)
	require.Equal(t, core.ID(5), p.UserID, "our own tokens follow the configuration")
}

// The scope is compared as a whole word, in both of its shapes.
func TestNoOtherScopeDoesAsThatOfAnAdmin(t *testing.T) {
	type rights struct{ admin, reads bool }
	for scope, want := range map[string]rights{
		`"scope":"admin"`: {true, true}, `"scope":"read admin"`: {true, true}, `"scope":["admin"]`: {true, true},
		`"scope":["x","admin"]`: {true, true},
		`"scp":"admin"`:         {true, true}, `"scp":["admin"]`: {true, true},
		`"scope":"admin-read"`: {false, true}, `"scope":["admin-read"]`: {false, true},
		`"scp":"admin-read"`:         {false, true},
		`"scope":"admin-read admin"`: {true, true},
		`"scope":"administrator"`:    {}, `"scope":"admin-write"`: {}, `"scope":"admin:read"`: {},
		`"scope":"admin.read"`: {}, `"scope":"admin_read"`: {},
		`"scope":"admin-reader"`: {}, `"scope":"admin-rea"`: {}, `"scope":"Admin"`: {}, `"scope":"ADMIN"`: {},
		`"scope":"adm"`: {}, `"scope":"admin,read"`: {},
		`"scope":"sysadmin"`: {}, `"scope":"not-admin"`: {}, `"scope":"admin*"`: {}, `"scope":"*"`: {},
		`"scope":""`: {}, `"scope":"adminadmin-read"`: {},
		`"scope":["administrator"]`: {}, `"scope":["admin read"]`: {}, `"scope":[" admin"]`: {},
		`"scope":["admin "]`: {}, `"scope":[["admin"]]`: {},
		`"scope":{"admin":true}`: {}, `"scope":[]`: {}, `"scope":null`: {}, `"Scope":"admin"`: {},
		`"SCOPE":"admin"`: {}, `"scopes":"admin"`: {},
		`"roles":["admin"]`: {}, `"scope":"read","scp":"admin"`: {}, `"scope":"аdmin"`: {}, // a Cyrillic а
	} {
		cfg := auth.DefaultConfig()
		cfg.HS256Secret = secret
		p, err := verifier(t, cfg).Authenticate(bearer(raw(t, hs256, `{"exp":4102444800,"sub":"9",`+scope+`}`)))
		if err != nil { // a shape that is refused as a whole
			require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
		}
		require.Equal(t, want, rights{p.Admin, p.Admin || p.AdminRead}, scope)
	}
	cfg := auth.DefaultConfig()
	cfg.HS256Secret, cfg.ScopeClaim = secret, "roles"
	v := verifier(t, cfg)
	p, err := v.Authenticate(bearer(raw(t, hs256, `{"exp":4102444800,"sub":"9","roles":["admin"]}`)))
	require.NoError(t, err)
	require.True(t, p.Admin)
	p, err = v.Authenticate(bearer(raw(t, hs256, `{"exp":4102444800,"sub":"9","scope":"admin"}`)))
	require.NoError(t, err)
	require.False(t, p.Admin, "only the claim that is configured counts")
}

func TestACriticalExtensionIsRefused(t *testing.T) {
	cfg := auth.DefaultConfig()
	cfg.HS256Secret = secret
	v := verifier(t, cfg)
	for _, header := range []string{
		`{"alg":"HS256","crit":["exp"],"exp":1}`, `{"alg":"HS256","crit":["b64"],"b64":false}`,
		`{"alg":"HS256","crit":[]}`, `{"alg":"HS256","crit":null}`,
	} {
		_, err := v.Authenticate(bearer(raw(t, header, `{"exp":4102444800,"sub":"9"}`)))
		require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), header)
		require.ErrorContains(t, err, "crit", header)
	}
}

func TestTheLogSaysWhyTokensAreRefusedOnceAMinuteForEachReason(t *testing.T) {
	clock := &movingClock{now}
	logs, seen := observer.New(zap.InfoLevel)
	reg := prometheus.NewRegistry()
	v, err := auth.NewVerifier(config(), clock, reg, zap.New(logs))
	require.NoError(t, err)
	refuse := func(claims string) {
		_, err := v.Authenticate(bearer(raw(t, hs256, claims)))
		require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
	}
	audience := `{"exp":4102444800,"sub":"9","iss":"app","aud":"other-api"}`
	for range 10 {
		refuse(audience)
	}
	refuse(`{"exp":4102444800,"sub":"nobody","iss":"app","aud":"feedrank"}`)
	lines := seen.FilterMessage("tokens are refused").All()
	require.Len(t, lines, 2)
	require.Equal(t, "audience", lines[0].ContextMap()["reason"])
	require.Equal(t, "other-api", lines[0].ContextMap()["aud"], "what the token has, for whoever sets it right")
	require.Equal(t, "user", lines[1].ContextMap()["reason"])
	clock.at = clock.at.Add(time.Minute)
	refuse(audience)
	lines = seen.FilterMessage("tokens are refused").All()
	require.Len(t, lines, 3)
	require.EqualValues(t, 10, lines[2].ContextMap()["refused"], "nine since the last line, and this one")
	for _, line := range lines {
		for _, value := range line.ContextMap() {
			require.NotContains(t, fmt.Sprint(value), "eyJ", "no part of a token is logged")
		}
	}
	count, err := testutil.GatherAndCount(reg, "feedrank_auth_refused_total")
	require.NoError(t, err)
	require.Equal(t, 2, count)
}
