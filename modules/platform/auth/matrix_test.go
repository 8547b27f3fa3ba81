package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

// signer makes tokens of one algorithm; other is a key of the same kind that nobody trusts.
type signer struct {
	method     jwt.SigningMethod
	kid        string
	key, other crypto.PrivateKey
	public     crypto.PublicKey // nil: the key is a secret
}

// signers are one of each algorithm that we take, and a verifier that trusts them all.
func signers(t *testing.T) ([]signer, *auth.Verifier, *keySet) {
	t.Helper()
	keys := newKeySet(t)
	rs, rsPublic := rsaKey(t, "r")
	otherRS, _ := rsaKey(t, "r")
	es, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	otherES, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	point, err := es.PublicKey.Bytes()
	require.NoError(t, err)
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, otherED, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	keys.publish(rsPublic,
		map[string]string{
			"kty": "EC", "crv": "P-256", "kid": "e", "alg": "ES256", "use": "sig",
			"x": encode(point[1:33]), "y": encode(point[33:]),
		},
		map[string]string{
			"kty": "OKP", "crv": "Ed25519", "kid": "d", "alg": "EdDSA", "use": "sig",
			"x": encode(edPublic),
		})
	cfg := config()
	cfg.JWKSURL, cfg.Leeway = keys.URL, 30*time.Second
	return []signer{
		{jwt.SigningMethodHS256, "", []byte(secret), []byte("another secret of 32 bytes or so"), nil},
		{jwt.SigningMethodRS256, "r", rs, otherRS, rs.Public()},
		{jwt.SigningMethodES256, "e", es, otherES, es.Public()},
		{jwt.SigningMethodEdDSA, "d", ed, otherED, edPublic},
	}, verifier(t, cfg), keys
}

func (s signer) sign(t *testing.T, key crypto.PrivateKey, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(s.method, claims)
	if s.kid != "" {
		token.Header["kid"] = s.kid
	}
	text, err := token.SignedString(key)
	require.NoError(t, err)
	return text
}

func TestEveryAlgorithmIsHeldToEveryClaim(t *testing.T) {
	all, v, _ := signers(t)
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, s := range all {
		t.Run(s.method.Alg(), func(t *testing.T) {
			for name, c := range map[string]struct {
				change jwt.MapClaims // nil values are taken out
				ok     bool
			}{
				"as it must be":            {nil, true},
				"one of several readers":   {jwt.MapClaims{"aud": []string{"other", "feedrank"}}, true},
				"expired, within leeway":   {jwt.MapClaims{"exp": at(-20 * time.Second)}, true},
				"expired beyond it":        {jwt.MapClaims{"exp": at(-40 * time.Second)}, false},
				"not yet, within leeway":   {jwt.MapClaims{"nbf": at(20 * time.Second)}, true},
				"not yet":                  {jwt.MapClaims{"nbf": at(40 * time.Second)}, false},
				"no expiry":                {jwt.MapClaims{"exp": nil}, false},
				"an expiry of text":        {jwt.MapClaims{"exp": "tomorrow"}, false},
				"another issuer":           {jwt.MapClaims{"iss": "other"}, false},
				"no issuer":                {jwt.MapClaims{"iss": nil}, false},
				"for others":               {jwt.MapClaims{"aud": []string{"other"}}, false},
				"for nobody":               {jwt.MapClaims{"aud": nil}, false},
				"nobody's":                 {jwt.MapClaims{"sub": nil}, false},
				"of no user":               {jwt.MapClaims{"sub": "root"}, false},
				"of a user out of range":   {jwt.MapClaims{"sub": "9223372036854775808"}, false},
				"of a user who is 0":       {jwt.MapClaims{"sub": "0"}, false},
				"a subject of SQL":         {jwt.MapClaims{"sub": "9' OR '1'='1"}, false},
				"a number for a subject":   {jwt.MapClaims{"sub": 9}, true},
				"a fraction of a user":     {jwt.MapClaims{"sub": 9.5}, false},
				"a subject that is a list": {jwt.MapClaims{"sub": []string{"9"}}, false},
				"scopes in a list":         {jwt.MapClaims{"scope": []string{"read", "write"}}, true},
				"scopes in scp":            {jwt.MapClaims{"scp": []string{"read"}}, true},
				"no scope":                 {jwt.MapClaims{"scope": nil}, true},
				"a scope that is a number": {jwt.MapClaims{"scope": 7}, false},
				"scopes that are numbers":  {jwt.MapClaims{"scope": []int{7}}, false},
			} {
				claims := jwt.MapClaims{"sub": "9", "iss": "app", "aud": "feedrank", "exp": at(time.Hour)}
				for key, value := range c.change {
					if claims[key] = value; value == nil {
						delete(claims, key)
					}
				}
				p, err := v.Authenticate(bearer("Bearer " + s.sign(t, s.key, claims)))
				if c.ok {
					require.NoError(t, err, name)
					require.Equal(t, core.ID(9), p.UserID, name)
					require.False(t, p.Admin, name)
				} else {
					require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), name)
				}
				_, err = v.Authenticate(bearer("Bearer " + s.sign(t, s.other, claims)))
				require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), "%s, under another key", name)
			}
		})
	}
}

// A public key is known to everybody: it must do as a secret in no form.
func TestNoPublicKeyDoesAsASecretAndNoOtherAlgorithmIsTaken(t *testing.T) {
	all, v, _ := signers(t)
	claims := jwt.MapClaims{"sub": "9", "iss": "app", "aud": "feedrank", "exp": now.Add(time.Hour).Unix()}
	for _, s := range all {
		if s.public == nil {
			continue
		}
		der, err := x509.MarshalPKIXPublicKey(s.public)
		require.NoError(t, err)
		for _, form := range [][]byte{der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})} {
			for _, kid := range []string{"", s.kid} {
				token := signer{method: jwt.SigningMethodHS256, kid: kid}.sign(t, form, claims)
				_, err := v.Authenticate(bearer("Bearer " + token))
				require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
			}
		}
	}
	es384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	rs := all[1].key.(*rsa.PrivateKey)
	for _, s := range []signer{
		{method: jwt.SigningMethodHS384, key: []byte(secret)},
		{method: jwt.SigningMethodHS512, key: []byte(secret)},
		{method: jwt.SigningMethodRS384, kid: "r", key: rs},
		{method: jwt.SigningMethodRS512, kid: "r", key: rs},
		{method: jwt.SigningMethodPS256, kid: "r", key: rs},
		{method: jwt.SigningMethodES384, kid: "e", key: es384},
		{method: jwt.SigningMethodNone, key: jwt.UnsafeAllowNoneSignatureType},
		{method: jwt.SigningMethodNone, kid: "r", key: jwt.UnsafeAllowNoneSignatureType},
	} {
		_, err := v.Authenticate(bearer("Bearer " + s.sign(t, s.key, claims)))
		require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), s.method.Alg())
	}
}

func TestKnownKeysVerifyWhileTheKeyServerIsAway(t *testing.T) {
	all, v, keys := signers(t)
	claims := jwt.MapClaims{"sub": "9", "iss": "app", "aud": "feedrank", "exp": now.Add(time.Hour).Unix()}
	keys.Close()
	for _, s := range all {
		_, err := v.Authenticate(bearer("Bearer " + s.sign(t, s.key, claims)))
		require.NoError(t, err, s.method.Alg())
	}
	stranger := all[1]
	stranger.kid = "unknown"
	_, err := v.Authenticate(bearer("Bearer " + stranger.sign(t, stranger.key, claims)))
	require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
}
