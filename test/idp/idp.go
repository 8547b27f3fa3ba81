// Package idp is a small OpenID provider for tests. It signs its tokens, takes a code once, and checks PKCE; whoever
// comes is the person whom a test has put there. A test can have it say what is wrong.
package idp

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// The client that it knows.
const (
	ClientID     = "feedrank-console"
	ClientSecret = "a secret of the console, for a test"
)

// Provider is one that runs.
type Provider struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu       sync.Mutex
	redirect string
	says     map[string]any // of who comes, in the ID token
	info     map[string]any // at the user info endpoint alone
	change   func(claims jwt.MapClaims)
	signer   *rsa.PrivateKey
	codes    map[string]code
}

type code struct{ challenge, nonce, redirect string }

// New starts one, which sends people back to an address.
func New(t *testing.T, redirect string) *Provider {
	t.Helper()
	key := NewKey(t)
	p := &Provider{key: key, signer: key, redirect: redirect, codes: map[string]code{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.describe)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /me", p.me)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// NewKey makes a key to sign with.
func NewKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

// Comes has somebody come, of whom it says this from now on.
func (p *Provider) Comes(subject string, says map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says = map[string]any{"sub": subject}
	maps.Copy(p.says, says)
	p.info, p.change, p.signer = nil, nil, p.key
}

// Tells says more at the user info endpoint.
func (p *Provider) Tells(info map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.info = info
}

// Lies changes the next ID tokens before they are signed, with a key of its own where that is not nil.
func (p *Provider) Lies(change func(claims jwt.MapClaims), signer *rsa.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change = change
	if signer != nil {
		p.signer = signer
	}
}

func (p *Provider) describe(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		"jwks_uri": p.URL + "/keys", "userinfo_endpoint": p.URL + "/me",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig",
		"n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

// authorize logs in whoever comes, where the client asks as it must.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := r.URL.Query()
	sum, err := base64.RawURLEncoding.DecodeString(asked.Get("code_challenge"))
	switch {
	case asked.Get("client_id") != ClientID, asked.Get("redirect_uri") != p.redirect:
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_client"})
		return
	case asked.Get("response_type") != "code", asked.Get("code_challenge_method") != "S256", err != nil,
		len(sum) != sha256.Size, asked.Get("state") == "", asked.Get("nonce") == "",
		!slices.Contains(strings.Fields(asked.Get("scope")), "openid"):
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	given := rand.Text()
	p.codes[given] = code{asked.Get("code_challenge"), asked.Get("nonce"), asked.Get("redirect_uri")}
	back := url.Values{"code": {given}, "state": {asked.Get("state")}, "iss": {p.URL}}
	if p.says == nil {
		back = url.Values{
			"error": {"access_denied"}, "error_description": {"nobody is here"}, "state": {asked.Get("state")},
		}
	}
	http.Redirect(w, r, p.redirect+"?"+back.Encode(), http.StatusSeeOther)
}

// token takes a code once, from the client that it was given to, with the verifier of its challenge.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, ok := r.BasicAuth()
	if id, _ = url.QueryUnescape(id); ok {
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	given, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case id != ClientID || secret != ClientSecret:
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	case r.FormValue("grant_type") != "authorization_code", !known, r.FormValue("redirect_uri") != given.redirect,
		base64.RawURLEncoding.EncodeToString(sum[:]) != given.challenge:
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	now := time.Now()
	said := jwt.MapClaims{
		"iss": p.URL, "aud": ClientID, "nonce": given.nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	maps.Copy(said, p.says)
	if p.change != nil {
		p.change(said)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, said)
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(p.signer)
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": signed,
	})
}

func (p *Provider) me(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer access" {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	said := map[string]any{"sub": p.says["sub"]}
	maps.Copy(said, p.info)
	answer(w, http.StatusOK, said)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
