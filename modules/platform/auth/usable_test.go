package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // what the fault was about
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
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

func (k *keySet) say(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.says = text
}

// sets writes a key set of keys with members of any shape.
func set(t *testing.T, keys ...map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	return string(text)
}

// with is a key with other members.
func with(key map[string]string, members map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range key {
		out[name] = value
	}
	for name, value := range members {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

func certificate(t *testing.T, key *rsa.PrivateKey) (x5c, x5t string) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	sum := sha1.Sum(der) // RFC 7517, 4.8
	return base64.StdEncoding.EncodeToString(der),
		base64.RawURLEncoding.EncodeToString([]byte(hex.EncodeToString(sum[:])))
}

func TestOneKeyThatCannotBeUsedDoesNotEmptyTheKeySet(t *testing.T) {
	good, goodPublic := rsaKey(t, "good")
	odd, oddPublic := rsaKey(t, "odd")
	x5c, x5t := certificate(t, odd)
	_, other := certificate(t, good)
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	point, err := wide.PublicKey.Bytes() // 4, x and y
	require.NoError(t, err)
	x, y := base64.RawURLEncoding.EncodeToString(point[1:49]), base64.RawURLEncoding.EncodeToString(point[49:])
	for name, c := range map[string]struct {
		odd    map[string]any
		usable bool
	}{
		"a thumbprint in hex":           {with(oddPublic, map[string]any{"x5c": []string{x5c}, "x5t": x5t}), true},
		"a thumbprint of another":       {with(oddPublic, map[string]any{"x5c": []string{x5c}, "x5t": other}), true},
		"a certificate that is none":    {with(oddPublic, map[string]any{"x5c": []string{"no"}}), true},
		"a certificate of a wrong type": {with(oddPublic, map[string]any{"x5c": "no", "x5t": 7}), true},
		"unusual operations": {
			with(oddPublic, map[string]any{"key_ops": []string{"verify", "attest"}}),
			true,
		},
		"operations of a wrong type": {with(oddPublic, map[string]any{"key_ops": "verify"}), true},
		"no use, no alg":             {with(oddPublic, map[string]any{"use": nil, "alg": nil}), true},
		"for TLS":                    {with(oddPublic, map[string]any{"use": "tls"}), false},
		"for encryption":             {with(oddPublic, map[string]any{"use": "enc", "alg": "RSA-OAEP"}), false},
		"to wrap keys":               {with(oddPublic, map[string]any{"key_ops": []string{"wrapKey"}}), false},
		"of another algorithm":       {with(oddPublic, map[string]any{"alg": "PS256"}), false},
		"a member of a wrong type":   {with(oddPublic, map[string]any{"n": 7}), false},
		"no modulus":                 {with(oddPublic, map[string]any{"n": nil}), false},
		"of an unknown type": {
			map[string]any{"kty": "AKP", "kid": "odd", "alg": "ML-DSA-44", "pub": "AA"},
			false,
		},
		"a secret": {map[string]any{"kty": "oct", "kid": "odd", "k": "AAAA"}, false},
		"of another curve": {
			map[string]any{"kty": "EC", "crv": "P-384", "kid": "odd", "x": "AA", "y": "AA"},
			false,
		},
		"sound, of another curve": {map[string]any{"kty": "EC", "crv": "P-384", "kid": "odd", "x": x, "y": y}, false},
	} {
		t.Run(name, func(t *testing.T) {
			keys := newKeySet(t)
			keys.say(set(t, c.odd, with(goodPublic, nil)))
			logs, seen := observer.New(zap.InfoLevel)
			reg := prometheus.NewRegistry()
			v, err := auth.NewVerifier(auth.Config{JWKSURL: keys.URL, UserClaim: "sub"}, fixedClock{}, reg,
				zap.New(logs))
			require.NoError(t, err)
			require.NoError(t, v.Start(t.Context()))
			defer func() { require.NoError(t, v.Stop(t.Context())) }()

			_, err = v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, "good", good)))
			require.NoError(t, err, "the other key works")
			_, err = v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, "odd", odd)))
			skipped := seen.FilterMessageSnippet("left out").All()
			if c.usable {
				require.NoError(t, err)
				require.Empty(t, skipped)
				return
			}
			require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
			require.Len(t, skipped, 1, "named once, though the set was fetched twice")
			require.Contains(t, skipped[0].ContextMap()["keys"].([]any)[0], "odd")
			count, err := testutil.GatherAndCount(reg, "feedrank_auth_keys")
			require.NoError(t, err)
			require.Equal(t, 2, count)
		})
	}
}

func TestAnAnswerWithoutAnyKeyDoesNotReplaceKeysThatWork(t *testing.T) {
	a, public := rsaKey(t, "a")
	b, otherPublic := rsaKey(t, "b")
	for name, c := range map[string]struct {
		answer string
		status int
		stays  bool
	}{
		"no keys":           {`{"keys":[]}`, 0, true},
		"an error object":   {`{"error":"maintenance"}`, 0, true},
		"a page":            {`<html>maintenance</html>`, 0, true},
		"none usable":       {set(t, with(otherPublic, map[string]any{"use": "enc"})), 0, true},
		"keys of a failure": {set(t, with(otherPublic, nil)), 500, true},
		"other keys":        {set(t, with(otherPublic, nil)), 0, false}, // that is how a key is withdrawn
		"the key and more":  {set(t, with(otherPublic, nil), with(public, nil)), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			keys := newKeySet(t)
			keys.publish(public)
			cfg := auth.DefaultConfig()
			cfg.JWKSURL = keys.URL
			v := verifier(t, cfg)
			keys.say(c.answer)
			keys.fail(c.status)
			// has the set fetched, as any stranger can
			_, _ = v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, "b", b)))
			require.Equal(t, 2, keys.fetches())
			_, err := v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, "a", a)))
			if c.stays {
				require.NoError(t, err)
			} else {
				require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
			}
		})
	}
}

func TestATokenWithoutAKeyIDIsVerifiedByTheKeysThatFit(t *testing.T) {
	keys := newKeySet(t)
	first, firstPublic := rsaKey(t, "")
	second, secondPublic := rsaKey(t, "second")
	keys.publish(firstPublic, secondPublic)
	cfg := auth.DefaultConfig()
	cfg.JWKSURL = keys.URL
	v := verifier(t, cfg)
	for _, key := range []*rsa.PrivateKey{first, second} {
		token := signer{method: jwt.SigningMethodRS256}.sign(t, key,
			jwt.MapClaims{"sub": "9", "exp": now.Add(time.Hour).Unix()})
		_, err := v.Authenticate(bearer("Bearer " + token))
		require.NoError(t, err)
	}
	stranger, _ := rsaKey(t, "")
	token := signer{method: jwt.SigningMethodRS256}.sign(t, stranger,
		jwt.MapClaims{"sub": "9", "exp": now.Add(time.Hour).Unix()})
	_, err := v.Authenticate(bearer("Bearer " + token))
	require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
}
