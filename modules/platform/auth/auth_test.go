package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

const secret = "0123456789abcdef0123456789abcdef"

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

type fixedClock struct{}

func (fixedClock) Now() time.Time { return now }

func config() auth.Config {
	cfg := auth.DefaultConfig()
	cfg.HS256Secret, cfg.Issuer, cfg.Audience = secret, "app", "feedrank"
	return cfg
}

func bearer(authorization string) http.Header { return http.Header{"Authorization": {authorization}} }

func verifier(t *testing.T, cfg auth.Config) *auth.Verifier {
	t.Helper()
	v, err := auth.NewVerifier(cfg, fixedClock{}, prometheus.NewRegistry(), zaptest.NewLogger(t))
	require.NoError(t, err)
	require.NoError(t, v.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, v.Stop(t.Context())) })
	return v
}

func TestASignedTokenNamesItsUserAndItsScope(t *testing.T) {
	v := verifier(t, config())
	token, err := auth.Sign(config(), 42, true, time.Hour, now)
	require.NoError(t, err)
	p, err := v.Authenticate(bearer("bearer " + token))
	require.NoError(t, err)
	require.Equal(t, core.ID(42), p.UserID)
	require.True(t, p.Admin)

	token, err = auth.Sign(config(), 7, false, time.Hour, now)
	require.NoError(t, err)
	p, err = v.Authenticate(bearer("Bearer " + token))
	require.NoError(t, err)
	require.False(t, p.Admin)
}

func TestTokensThatDoNotHoldAreRefused(t *testing.T) {
	v := verifier(t, config())
	good, err := auth.Sign(config(), 42, false, time.Hour, now)
	require.NoError(t, err)
	sign := func(change func(*auth.Config), user core.ID, validFor time.Duration) string {
		cfg := config()
		change(&cfg)
		token, err := auth.Sign(cfg, user, false, validFor, now)
		require.NoError(t, err)
		return token
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"sub": "42", "exp": now.Add(time.Hour).Unix()}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	hs512, err := jwt.NewWithClaims(jwt.SigningMethodHS512,
		jwt.MapClaims{"sub": "42", "iss": "app", "aud": "feedrank", "exp": now.Add(time.Hour).Unix()}).
		SignedString([]byte(secret))
	require.NoError(t, err)
	noExpiry, err := jwt.NewWithClaims(jwt.SigningMethodHS256,
		jwt.MapClaims{"sub": "42", "iss": "app", "aud": "feedrank"}).
		SignedString([]byte(secret))
	require.NoError(t, err)

	for name, header := range map[string]string{
		"nothing":        "",
		"no scheme":      good,
		"another scheme": "Basic " + good,
		"empty":          "Bearer ",
		"tampered":       "Bearer " + good[:len(good)-4] + "AAAA",
		"expired":        "Bearer " + sign(func(*auth.Config) {}, 42, -time.Hour),
		"another secret": "Bearer " + sign(func(c *auth.Config) { c.HS256Secret = strings.Repeat("x", 32) }, 42,
			time.Hour),
		"another issuer": "Bearer " + sign(func(c *auth.Config) { c.Issuer = "other" }, 42, time.Hour),
		"another public": "Bearer " + sign(func(c *auth.Config) { c.Audience = "other" }, 42, time.Hour),
		"no subject":     "Bearer " + sign(func(*auth.Config) {}, 0, time.Hour),
		"none":           "Bearer " + none,
		"another method": "Bearer " + hs512,
		"no expiry":      "Bearer " + noExpiry,
		"huge":           "Bearer " + strings.Repeat("a", 9000),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Authenticate(bearer(header))
			require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
		})
	}
}

func TestAKeySetVerifiesItsOwnAlgorithmsOnly(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	point, err := key.PublicKey.Bytes() // 4 | X | Y
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","alg":"ES256","use":"sig","x":%q,"y":%q}]}`,
		encode(point[1:33]), encode(point[33:]))
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = w.Write([]byte(set))
	}))
	defer keys.Close()

	cfg := auth.DefaultConfig()
	cfg.JWKSURL = keys.URL
	v := verifier(t, cfg)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": "9", "exp": now.Add(time.Hour).Unix()})
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(key)
	require.NoError(t, err)
	p, err := v.Authenticate(bearer("Bearer " + signed))
	require.NoError(t, err)
	require.Equal(t, core.ID(9), p.UserID)

	// The public key, which everybody has, must not do as a secret.
	confused, err := jwt.NewWithClaims(jwt.SigningMethodHS256,
		jwt.MapClaims{"sub": "9", "exp": now.Add(time.Hour).Unix()}).SignedString(point)
	require.NoError(t, err)
	_, err = v.Authenticate(bearer("Bearer " + confused))
	require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
}

func TestWithoutAnyKeyThereIsNoVerifier(t *testing.T) {
	_, err := auth.NewVerifier(auth.DefaultConfig(), fixedClock{}, prometheus.NewRegistry(), zaptest.NewLogger(t))
	require.ErrorIs(t, err, auth.ErrNoKeys)
}

func TestAValidTokenOfMoreThan8KBIsRefused(t *testing.T) {
	v := verifier(t, config())
	for size, want := range map[int]bool{4000: true, 9000: false} {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"sub": "42", "iss": "app", "aud": "feedrank", "exp": now.Add(time.Hour).Unix(),
			"more": strings.Repeat("x", size),
		}).SignedString([]byte(secret))
		require.NoError(t, err)
		_, err = v.Authenticate(bearer("Bearer " + token))
		require.Equal(t, want, err == nil, "%d bytes: %v", len(token), err)
	}
}

func TestWhereNoSecretIsSetTheEmptyOneSignsNothing(t *testing.T) {
	keys := newKeySet(t)
	_, public := rsaKey(t, "r")
	keys.publish(public)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256,
		jwt.MapClaims{"sub": "42", "exp": now.Add(time.Hour).Unix()}).SignedString([]byte{})
	require.NoError(t, err)
	for _, sessions := range [][]byte{nil, []byte(strings.Repeat("k", 32))} { // those of the console have a key alike
		cfg := auth.DefaultConfig()
		cfg.JWKSURL, cfg.SessionKey = keys.URL, sessions
		_, err = verifier(t, cfg).Authenticate(bearer("Bearer " + token))
		require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
	}
}
