package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Config says whose tokens we believe. At least one of the two kinds of keys must be set.
type Config struct {
	HS256Secret string        `koanf:"hs256_secret" validate:"omitempty,min=32" secret:"true"`  // signs and verifies HS256 tokens
	JWKSURL     string        `koanf:"jwks_url" validate:"omitempty,url"`                       // key set for RS256, ES256 and EdDSA tokens; keys that cannot be used are left out and logged
	Issuer      string        `koanf:"issuer"`                                                  // the iss claim; empty: any
	Audience    string        `koanf:"audience"`                                                // the aud claim; empty: any
	Leeway      time.Duration `koanf:"leeway" validate:"gte=0s,lte=5m"`                         // between clocks
	UserClaim   string        `koanf:"user_claim" validate:"required"`                          // the claim that holds the user's id, as text or as a number
	ScopeClaim  string        `koanf:"scope_claim"`                                             // the claim that holds the scopes, as words in a text or as a list, such as roles; empty: scope, or scp where there is none
	AdminScope  string        `koanf:"admin_scope" validate:"required"`                         // the scope that opens /admin
	ReadScope   string        `koanf:"admin_read_scope" validate:"required,nefield=AdminScope"` // the scope that opens the calls of /admin that change nothing
	// UserKeys are what keys of users look like: keys.users.
	UserKeys core.KeyForm `koanf:"-"`
	// SessionKey signs and verifies the sessions of operators whom a provider logged in; empty: there are none.
	SessionKey []byte `koanf:"-"`
	ActAsScope string `koanf:"act_as_scope" validate:"required,nefield=AdminScope,nefield=ReadScope"` // the scope that lets a service name in the header Act-As for whom it calls
}

// DefaultConfig has no key: nobody gets in until one is configured.
func DefaultConfig() Config {
	return Config{
		Leeway: 30 * time.Second, UserClaim: "sub", AdminScope: "admin", ReadScope: "admin-read",
		ActAsScope: "act-as",
	}
}

// ErrNoKeys is returned when neither a secret nor a key set is configured.
var ErrNoKeys = errors.New("set auth.hs256_secret (at least 32 bytes) or auth.jwks_url: without a key no token can be verified")

// maxTokenBytes bounds what is parsed at all.
const maxTokenBytes = 8 << 10

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	cfg      Config
	parser   *jwt.Parser
	keys     *keySet // nil without auth.jwks_url
	known    *memory
	refusals *refusals
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

var _ httpserver.Authenticator = (*Verifier)(nil)

// NewVerifier makes a verifier; Start fetches the key set.
func NewVerifier(cfg Config, clock core.Clock, reg prometheus.Registerer, log *zap.Logger) (*Verifier, error) {
	var methods []string
	if cfg.HS256Secret != "" || len(cfg.SessionKey) > 0 {
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	if cfg.JWKSURL != "" {
		methods = append(methods, "RS256", "ES256", "EdDSA")
	}
	if cfg.HS256Secret == "" && cfg.JWKSURL == "" {
		return nil, ErrNoKeys
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithLeeway(cfg.Leeway), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(clock.Now),
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
	v := &Verifier{
		cfg: cfg, parser: jwt.NewParser(options...), known: known, refusals: newRefusals(clock, reg, log),
		cancel: func() {},
	}
	keys := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "feedrank_auth_keys",
		Help: "Keys of auth.jwks_url at its last answer: used, or left out because they cannot be (the log says why).",
	}, []string{"state"})
	reg.MustRegister(keys)
	if cfg.JWKSURL != "" {
		v.keys = newKeySet(cfg.JWKSURL, keys.WithLabelValues("used"), keys.WithLabelValues("left_out"), log)
	}
	return v, nil
}

// Start fetches the key set and begins to refresh it. A key set that does not answer is no reason
// not to start: tokens under its keys are refused until it does.
func (v *Verifier) Start(ctx context.Context) error {
	if v.keys == nil {
		return nil
	}
	fetched := v.keys.refresh(ctx)
	ctx, v.cancel = context.WithCancel(context.WithoutCancel(ctx))
	v.done.Go(func() { v.keys.run(ctx, fetched) })
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
	v.done.Wait()
	return nil
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
		p, err := actAs(named, v.cfg.UserKeys, c.claims.Subject, c.service)
		p.Expires = c.expires()
		return p, err
	}
	if c.invalid != nil && !c.admin && !c.reader && !c.service {
		return httpserver.Principal{}, v.refusals.refuse(refusedUser, "the token's "+v.subject()+" is not a user id",
			c.invalid)
	}
	return httpserver.Principal{
		UserID: c.user.ID, UserText: c.user.Text, Subject: c.claims.Subject, Admin: c.admin, AdminRead: c.reader,
		Expires: c.expires(),
	}, nil
}

// subject is where a token says whose it is.
func (v *Verifier) subject() string {
	if v.cfg.UserClaim == "sub" {
		return "subject"
	}
	return "claim " + v.cfg.UserClaim
}

// actAs is a service that calls for a user. It has no other rights meanwhile.
func actAs(named []string, keys core.KeyForm, subject string, allowed bool) (httpserver.Principal, error) {
	if !allowed {
		return httpserver.Principal{}, core.Errorf(core.CodeForbidden,
			"this token may not call for somebody else: leave out the header %s", HeaderActAs)
	}
	if subject == "" {
		return httpserver.Principal{}, core.Errorf(core.CodeForbidden,
			"a token that calls for others must say whose it is, in its subject")
	}
	user, err := keys.Parse(named[0])
	if err != nil || len(named) > 1 {
		return httpserver.Principal{}, core.InvalidField(HeaderActAs, "want one user id")
	}
	return httpserver.Principal{UserID: user.ID, UserText: user.Text, Subject: subject, Service: subject}, nil
}

// verify reads "Bearer <token>".
func (v *Verifier) verify(authorization string) (*caller, error) {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, v.refusals.refuse(refusedNone, "send the header Authorization: Bearer <token>", nil)
	}
	if len(token) > maxTokenBytes {
		return nil, v.refusals.refuse(refusedTooLong, fmt.Sprintf("the token is longer than %d bytes", maxTokenBytes),
			nil)
	}
	if known, ok := v.known.find(token); ok {
		return known, nil
	}
	c := v.newClaims()
	parsed, err := v.parser.ParseWithClaims(token, &c, v.key)
	if err != nil {
		reason, message := whyInvalid(err)
		var says []zap.Field
		if reason == refusedIssuer || reason == refusedAudience { // the signature holds
			says = []zap.Field{zap.String("iss", cut(c.Issuer)), zap.String("aud", cut(strings.Join(c.Audience, " ")))}
		}
		return nil, v.refusals.refuse(reason, message, err, says...)
	}
	read := v.read(c, v.isSession(parsed))
	v.known.keep(token, read)
	return read, nil
}

// cut is text that a token may have us log.
func cut(text string) string { return text[:min(len(text), 200)] }

var (
	errCritical  = errors.New("the header has crit: we support no extension (RFC 7515, 4.1.11)")
	errAlgorithm = errors.New("no key of ours is for this algorithm")
)

// key gives each algorithm its own kind of key, so that a public key is never taken for a secret.
func (v *Verifier) key(token *jwt.Token) (any, error) {
	if _, critical := token.Header["crit"]; critical {
		return nil, errCritical
	}
	switch {
	case v.isSession(token):
		return v.cfg.SessionKey, nil
	case token.Method == jwt.SigningMethodHS256 && v.cfg.HS256Secret == "":
		return nil, errAlgorithm
	case token.Method == jwt.SigningMethodHS256:
		return []byte(v.cfg.HS256Secret), nil
	}
	if v.keys == nil {
		return nil, errAlgorithm
	}
	named, hasID := token.Header["kid"]
	id, isText := named.(string)
	if hasID && !isText {
		return nil, errUnknownKey
	}
	keys, err := v.keys.find(token.Method.Alg(), id, hasID)
	if err != nil {
		return nil, err
	}
	return jwt.VerificationKeySet{Keys: keys}, nil
}

// Sign makes a development token with the HS256 secret: for a user, for the admin scope, or both.
func Sign(cfg Config, user core.ID, admin bool, validFor time.Duration, now time.Time) (string, error) {
	if !user.Valid() {
		return signScope(cfg, "", admin, validFor, now)
	}
	return signScope(cfg, user.String(), admin, validFor, now)
}

// SignUser is Sign for a user of whichever key.
func SignUser(cfg Config, user core.Key, admin bool, validFor time.Duration, now time.Time) (string, error) {
	return signScope(cfg, user.String(), admin, validFor, now)
}

func signScope(cfg Config, subject string, admin bool, validFor time.Duration, now time.Time) (string, error) {
	scope := ""
	if admin {
		scope = cfg.AdminScope
	}
	return sign(cfg, subject, scope, validFor, now)
}

// SignOperator makes a development token for somebody who operates us, by their name: with the admin scope,
// or with the one that only reads.
func SignOperator(cfg Config, name string, reads bool, validFor time.Duration, now time.Time) (string, error) {
	scope := cfg.AdminScope
	if reads {
		scope = cfg.ReadScope
	}
	return sign(cfg, name, scope, validFor, now)
}

// SignService makes a development token for a service, which may call for any user.
func SignService(cfg Config, service string, validFor time.Duration, now time.Time) (string, error) {
	return sign(cfg, service, cfg.ActAsScope, validFor, now)
}

// sessionKeyID is the key id of sessions.
const sessionKeyID = "feedrank-session"

// isSession tells whether a token says that it is one of a session.
func (v *Verifier) isSession(token *jwt.Token) bool {
	return len(v.cfg.SessionKey) > 0 && token.Method == jwt.SigningMethodHS256 && token.Header["kid"] == sessionKeyID
}

// SignSession makes the token of an operator whom a provider logged in. It stands for no user, whatever their name.
func SignSession(cfg Config, name string, reads bool, validFor time.Duration, now time.Time) (string, error) {
	if len(cfg.SessionKey) == 0 {
		return "", errors.New("no provider is configured: there is no key for sessions")
	}
	scope := cfg.AdminScope
	if reads {
		scope = cfg.ReadScope
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claimsOf(cfg, name, scope, validFor, now))
	token.Header["kid"] = sessionKeyID
	return token.SignedString(cfg.SessionKey)
}

func sign(cfg Config, subject, scope string, validFor time.Duration, now time.Time) (string, error) {
	if cfg.HS256Secret == "" {
		return "", errors.New("auth.hs256_secret is not set: tokens can be signed with it only")
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claimsOf(cfg, subject, scope, validFor, now)).
		SignedString([]byte(cfg.HS256Secret))
}

func claimsOf(cfg Config, subject, scope string, validFor time.Duration, now time.Time) jwt.MapClaims {
	c := jwt.MapClaims{"iat": now.Unix(), "exp": now.Add(validFor).Unix()}
	for name, value := range map[string]string{
		"iss": cfg.Issuer, "aud": cfg.Audience, "sub": subject, cfg.UserClaim: subject,
		cmp.Or(cfg.ScopeClaim, "scope"): scope,
	} {
		if value != "" {
			c[name] = value
		}
	}
	return c
}
