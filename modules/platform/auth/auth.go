// Package auth verifies the bearer tokens (JWT, RFC 7519) of users and operators, and signs
// development tokens.
package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Config says whose tokens we believe. At least one of the two kinds of keys must be set.
type Config struct {
	HS256Secret string        `koanf:"hs256_secret" validate:"omitempty,min=32" secret:"true"` // signs and verifies HS256 tokens
	JWKSURL     string        `koanf:"jwks_url" validate:"omitempty,url"`                      // key set for RS256, ES256 and EdDSA tokens
	Issuer      string        `koanf:"issuer"`                                                 // the iss claim; empty: any
	Audience    string        `koanf:"audience"`                                               // the aud claim; empty: any
	Leeway      time.Duration `koanf:"leeway" validate:"gte=0s,lte=5m"`                        // between clocks
	AdminScope  string        `koanf:"admin_scope" validate:"required"`                        // the word in the scope claim that opens /admin
	ActAsScope  string        `koanf:"act_as_scope" validate:"required,nefield=AdminScope"`    // the word in the scope claim that lets a service name in the header Act-As for whom it calls
}

// DefaultConfig has no key: nobody gets in until one is configured.
func DefaultConfig() Config {
	return Config{Leeway: 30 * time.Second, AdminScope: "admin", ActAsScope: "act-as"}
}

// ErrNoKeys is returned when neither a secret nor a key set is configured.
var ErrNoKeys = errors.New("set auth.hs256_secret (at least 32 bytes) or auth.jwks_url: without a key no token can be verified")

// maxTokenBytes bounds what is parsed at all.
const maxTokenBytes = 8 << 10

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	cfg    Config
	parser *jwt.Parser
	jwks   keyfunc.Keyfunc // nil without auth.jwks_url
	asked  singleflight.Group
	known  *memory
	cancel context.CancelFunc
	log    *zap.Logger
}

var _ httpserver.Authenticator = (*Verifier)(nil)

// NewVerifier makes a verifier; Start fetches the key set.
func NewVerifier(cfg Config, clock core.Clock, log *zap.Logger) (*Verifier, error) {
	var methods []string
	if cfg.HS256Secret != "" {
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	if cfg.JWKSURL != "" {
		methods = append(methods, "RS256", "ES256", "EdDSA")
	}
	if len(methods) == 0 {
		return nil, ErrNoKeys
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithLeeway(cfg.Leeway), jwt.WithExpirationRequired(), jwt.WithTimeFunc(clock.Now),
	}
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}
	known, err := newMemory(clock, options)
	if err != nil {
		return nil, err
	}
	return &Verifier{cfg: cfg, parser: jwt.NewParser(options...), known: known, cancel: func() {}, log: log}, nil
}

// fetchTimeout bounds one fetch of the key set.
const fetchTimeout = 5 * time.Second

// Start begins to fetch the key set and to refresh it. A key set that does not answer is no reason
// not to start: tokens under its keys are refused until it does.
func (v *Verifier) Start(context.Context) error {
	if v.cfg.JWKSURL == "" {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	v.cancel = cancel
	goOn := true
	jwks, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{v.cfg.JWKSURL}, keyfunc.Override{
		Client: &http.Client{Timeout: fetchTimeout}, HTTPTimeout: fetchTimeout, NoErrorReturnFirstHTTPReq: &goOn,
		RefreshInterval: 10 * time.Minute, RefreshUnknownKID: rate.NewLimiter(rate.Every(30*time.Second), 1),
		RateLimitWaitMax: fetchTimeout, // bounds the fetch, too. Who would wait longer than that for the limiter is refused at once
		RefreshErrorHandlerFunc: func(from string) func(context.Context, error) {
			return func(_ context.Context, err error) {
				v.log.Warn("fetch the key set", zap.String("url", redacted(from)), zap.Error(err))
			}
		},
	})
	if err != nil {
		cancel()
		return fmt.Errorf("auth.jwks_url: %w", err)
	}
	v.jwks = jwks
	return nil
}

// redacted is a URL without its password.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(a URL that does not parse)"
	}
	return u.Redacted()
}

// Stop ends the refreshing.
func (v *Verifier) Stop(context.Context) error {
	v.cancel()
	return nil
}

// claims are what we read of a token.
type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"` // words separated by spaces (RFC 8693)
}

// HeaderActAs names the user for whom a service calls.
const HeaderActAs = "Act-As"

// Authenticate reads "Authorization: Bearer <token>", and for whom the token may be used.
func (v *Verifier) Authenticate(h http.Header) (httpserver.Principal, error) {
	c, err := v.verify(h.Get("Authorization"))
	if err != nil {
		return httpserver.Principal{}, err
	}
	if named := h.Values(HeaderActAs); len(named) > 0 {
		return actAs(named, c.claims.Subject, c.service)
	}
	if c.invalid != nil && !c.admin && !c.service {
		return httpserver.Principal{}, core.Errorf(core.CodeUnauthenticated, "the token's subject is not a user id")
	}
	return httpserver.Principal{UserID: c.user, Admin: c.admin}, nil
}

// actAs is a service that calls for a user. It has no other rights meanwhile.
func actAs(named []string, subject string, allowed bool) (httpserver.Principal, error) {
	if !allowed {
		return httpserver.Principal{}, core.Errorf(core.CodeForbidden, "this token may not call for somebody else: leave out the header %s", HeaderActAs)
	}
	if subject == "" {
		return httpserver.Principal{}, core.Errorf(core.CodeForbidden, "a token that calls for others must say whose it is, in its subject")
	}
	user, err := core.ParseID(named[0])
	if err != nil || len(named) > 1 {
		return httpserver.Principal{}, core.InvalidField(HeaderActAs, "want one user id")
	}
	return httpserver.Principal{UserID: user, Service: subject}, nil
}

// verify reads "Bearer <token>".
func (v *Verifier) verify(authorization string) (*caller, error) {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, core.Errorf(core.CodeUnauthenticated, "send the header Authorization: Bearer <token>")
	}
	if len(token) > maxTokenBytes {
		return nil, core.Errorf(core.CodeUnauthenticated, "the token is longer than %d bytes", maxTokenBytes)
	}
	if known, ok := v.known.find(token); ok {
		return known, nil
	}
	var c claims
	if _, err := v.parser.ParseWithClaims(token, &c, v.key); err != nil {
		return nil, &core.Error{Code: core.CodeUnauthenticated, Message: reason(err), Cause: err}
	}
	read := v.read(c)
	v.known.keep(token, read)
	return read, nil
}

// key gives each algorithm its own kind of key, so that a public key is never taken for a secret.
func (v *Verifier) key(token *jwt.Token) (any, error) {
	if token.Method == jwt.SigningMethodHS256 {
		return []byte(v.cfg.HS256Secret), nil
	}
	if v.jwks == nil {
		return nil, jwt.ErrTokenUnverifiable
	}
	// Where the key is new, one of those who bring it has the set fetched, and the others wait for that.
	key, err, _ := v.asked.Do(fmt.Sprint(token.Method.Alg(), " ", token.Header["kid"]), func() (any, error) { return v.jwks.Keyfunc(token) })
	return key, err
}

func reason(err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return "the token has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return "the token is not valid yet"
	case errors.Is(err, jwt.ErrTokenInvalidIssuer), errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "the token was made by or for somebody else"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "the token has no expiry"
	default:
		return "the token does not verify"
	}
}

// Sign makes a development token with the HS256 secret: for a user, for the admin scope, or both.
func Sign(cfg Config, user core.ID, admin bool, validFor time.Duration, now time.Time) (string, error) {
	var c claims
	if user.Valid() {
		c.Subject = user.String()
	}
	if admin {
		c.Scope = cfg.AdminScope
	}
	return sign(cfg, c, validFor, now)
}

// SignService makes a development token for a service, which may call for any user.
func SignService(cfg Config, service string, validFor time.Duration, now time.Time) (string, error) {
	return sign(cfg, claims{RegisteredClaims: jwt.RegisteredClaims{Subject: service}, Scope: cfg.ActAsScope}, validFor, now)
}

func sign(cfg Config, c claims, validFor time.Duration, now time.Time) (string, error) {
	if cfg.HS256Secret == "" {
		return "", errors.New("auth.hs256_secret is not set: tokens can be signed with it only")
	}
	c.Issuer, c.IssuedAt, c.ExpiresAt = cfg.Issuer, jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(validFor))
	if cfg.Audience != "" {
		c.Audience = jwt.ClaimStrings{cfg.Audience}
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(cfg.HS256Secret))
}
