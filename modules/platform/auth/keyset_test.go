package auth_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

// keySet is a server of keys, which may be exchanged.
type keySet struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []map[string]string
	says    string // an answer instead of the keys
	status  int    // of the answer; 0: 200
	fetched int
	takes   time.Duration // until it answers
}

func newKeySet(t *testing.T) *keySet {
	t.Helper()
	k := &keySet{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.fetched++
		<-time.After(k.takes)
		if k.status != 0 {
			w.WriteHeader(k.status)
		}
		if k.says != "" {
			_, _ = w.Write([]byte(k.says))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": k.keys})
	}))
	t.Cleanup(k.Close)
	return k
}

// publish replaces the keys.
func (k *keySet) publish(keys ...map[string]string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
}

// fail has answers come with a status.
func (k *keySet) fail(status int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status = status
}

func (k *keySet) fetches() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fetched
}

func rsaKey(t *testing.T, kid string) (*rsa.PrivateKey, map[string]string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	return key, map[string]string{
		"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": encode(key.N.Bytes()),
		"e": encode(big.NewInt(int64(key.E)).Bytes()),
	}
}

func signedBy(t *testing.T, method jwt.SigningMethod, kid string, key crypto.PrivateKey) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims{"sub": "9", "exp": now.Add(time.Hour).Unix()})
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	require.NoError(t, err)
	return "Bearer " + signed
}

func TestAKeySetMayHoldKeysOfSeveralKinds(t *testing.T) {
	keys := newKeySet(t)
	rs, rsPublic := rsaKey(t, "r")
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	keys.publish(rsPublic, map[string]string{
		"kty": "OKP", "crv": "Ed25519", "kid": "e", "alg": "EdDSA", "use": "sig",
		"x": base64.RawURLEncoding.EncodeToString(edPublic),
	})
	cfg := auth.DefaultConfig()
	cfg.JWKSURL = keys.URL
	v := verifier(t, cfg)
	for _, token := range []string{
		signedBy(t, jwt.SigningMethodRS256, "r", rs),
		signedBy(t, jwt.SigningMethodEdDSA, "e", ed),
	} {
		p, err := v.Authenticate(bearer(token))
		require.NoError(t, err)
		require.Equal(t, core.ID(9), p.UserID)
	}
	for name, token := range map[string]string{
		"the key of another kind":        signedBy(t, jwt.SigningMethodRS256, "e", rs),
		"another method of the same key": signedBy(t, jwt.SigningMethodRS512, "r", rs),
		"padded otherwise":               signedBy(t, jwt.SigningMethodPS256, "r", rs),
	} {
		_, err := v.Authenticate(bearer(token))
		require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), name)
	}
}

func TestANewKeyIsFetchedWhenItIsFirstSeenAndUnknownOnesDoNotMakeUsAsk(t *testing.T) {
	keys := newKeySet(t)
	_, first := rsaKey(t, "first")
	second, secondPublic := rsaKey(t, "second")
	keys.publish(first)
	cfg := auth.DefaultConfig()
	cfg.JWKSURL = keys.URL
	v := verifier(t, cfg)
	require.Equal(t, 1, keys.fetches())

	keys.publish(secondPublic) // rotated
	_, err := v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, "second", second)))
	require.NoError(t, err)
	require.Equal(t, 2, keys.fetches())
	for range 50 {
		_, err := v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, "made up", second)))
		require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
	}
	require.Equal(t, 2, keys.fetches(), "whoever makes up key ids cannot have us flood the key server")
}

func TestAllWhoBringANewKeyWaitForTheOneFetchThoughTheKeyServerIsFarAway(t *testing.T) {
	keys := newKeySet(t)
	_, first := rsaKey(t, "first")
	second, secondPublic := rsaKey(t, "second")
	keys.publish(first)
	cfg := auth.DefaultConfig()
	cfg.JWKSURL = keys.URL
	v := verifier(t, cfg)

	keys.mu.Lock()
	keys.takes, keys.keys = 100*time.Millisecond, []map[string]string{first, secondPublic}
	keys.mu.Unlock()
	token := bearer(signedBy(t, jwt.SigningMethodRS256, "second", second))
	errs := make(chan error, 20)
	for range cap(errs) {
		go func() {
			_, err := v.Authenticate(token)
			errs <- err
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	require.Equal(t, 2, keys.fetches())
}

func TestATokenNamesItsKey(t *testing.T) {
	keys := newKeySet(t)
	one, onePublic := rsaKey(t, "one")
	other, otherPublic := rsaKey(t, "other")
	keys.publish(onePublic, otherPublic)
	cfg := auth.DefaultConfig()
	cfg.JWKSURL = keys.URL
	v := verifier(t, cfg)
	for name, key := range map[string]crypto.PrivateKey{"one": one, "other": other} {
		_, err := v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, name, key)))
		require.NoError(t, err, name)
	}
	_, err := v.Authenticate(bearer(signedBy(t, jwt.SigningMethodRS256, "one", other)))
	require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), "a key of the set, but not the one that is named")

	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"sub": "9", "exp": now.Add(time.Hour).Unix()})
	token.Header["kid"] = 1
	signed, err := token.SignedString(one)
	require.NoError(t, err)
	_, err = v.Authenticate(bearer("Bearer " + signed))
	require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err), "an id that is no text is not as good as none")
}
