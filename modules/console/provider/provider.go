package provider

import (
	"context"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/feedrank/feedrank/modules/core"
)

// answersWithin bounds each call of the provider.
const answersWithin = 4 * time.Second

// Operator is somebody whom the provider has logged in.
type Operator struct {
	Name  string
	Reads bool // sees everything, and changes nothing
}

// Provider logs operators in. It is safe for concurrent use.
type Provider struct {
	cfg    Config
	clock  core.Clock
	sealer cipher.AEAD
	client *http.Client
	flight singleflight.Group

	mu    sync.Mutex
	found *oidc.Provider // nil: not asked yet
}

// New makes a provider of its configuration; nil where none is configured. It is not asked before somebody logs in.
func New(cfg Config, clock core.Clock) (*Provider, error) {
	if cfg.Issuer == "" {
		return nil, nil //nolint:nilnil // there is none, and nothing is wrong
	}
	sealer, err := newSealer(cfg.derive("login"))
	if err != nil {
		return nil, fmt.Errorf("console.oidc.client_secret: %w", err)
	}
	// People log in seldom: no connection is kept.
	client := &http.Client{Timeout: answersWithin, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}}
	return &Provider{cfg: cfg, clock: clock, sealer: sealer, client: client}, nil
}

// Name is what people know the provider by.
func (p *Provider) Name() string {
	u, err := url.Parse(p.cfg.Issuer)
	if err != nil {
		return p.cfg.Issuer
	}
	return u.Host
}

// discover is the provider's description, which is asked for until it is known.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	found := p.found
	p.mu.Unlock()
	if found != nil {
		return found, nil
	}
	answer := p.flight.DoChan("", func() (any, error) {
		asking, cancel := context.WithTimeout(oidc.ClientContext(context.Background(), p.client), answersWithin)
		defer cancel()
		found, err := oidc.NewProvider(asking, p.cfg.Issuer)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.found = found
		return found, nil
	})
	select {
	case <-ctx.Done():
		return nil, away(ctx.Err())
	case got := <-answer:
		if got.Err != nil {
			return nil, away(got.Err)
		}
		return got.Val.(*oidc.Provider), nil //nolint:forcetypeassert // ours, above
	}
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: p.cfg.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...),
	}
}

// Begin is the address where somebody logs in, and what their browser keeps until they come back. An error is a
// *Refusal.
func (p *Provider) Begin(ctx context.Context, next string) (address, cookie string, err error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	login := p.begun(next, oauth2.GenerateVerifier())
	if cookie, err = p.seal(login); err != nil {
		return "", "", err
	}
	return p.oauth(found).AuthCodeURL(login.State, oidc.Nonce(login.Nonce), oauth2.S256ChallengeOption(login.Verifier)),
		cookie, nil
}

// Finish is who comes back with an answer of the provider, and where they wanted to go. An error is a *Refusal.
func (p *Provider) Finish(ctx context.Context, cookie string, answer url.Values) (who Operator, next string,
	err error,
) {
	login, ok := p.unseal(cookie)
	if !ok || !same(answer.Get("state"), login.State) {
		return who, "", notBegun(nil)
	}
	if said := answer.Get("error"); said != "" {
		return who, login.Next, refusedThere(said, answer.Get("error_description"))
	}
	if issuer := answer.Get("iss"); issuer != "" && issuer != p.cfg.Issuer { // RFC 9207
		return who, login.Next, notBegun(errors.New("the answer names another issuer"))
	}
	found, err := p.discover(ctx)
	if err != nil {
		return who, login.Next, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := p.oauth(found).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(login.Verifier))
	if err != nil {
		return who, login.Next, notExchanged(err)
	}
	said, subject, err := p.verify(ctx, found, tokens, login.Nonce)
	if err != nil {
		return who, login.Next, doesNotHold(err)
	}
	if p.cfg.lacks(said) && found.UserInfoEndpoint() != "" {
		if err := p.askMore(ctx, found, tokens, said, subject); err != nil {
			return who, login.Next, doesNotHold(err)
		}
	}
	who.Name = p.cfg.name(said, subject)
	if who.Reads, ok = p.cfg.role(said); !ok {
		return who, login.Next, p.cfg.noRole(who.Name)
	}
	return who, login.Next, nil
}

func same(a, b string) bool { return b != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// verify holds an ID token to all that it must be, and gives what it says.
func (p *Provider) verify(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, nonce string,
) (said claims, subject string, err error) {
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nil, "", errors.New("the answer has no ID token")
	}
	token, err := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.clock.Now}).Verify(ctx, raw)
	if err != nil {
		return nil, "", err
	}
	if !same(token.Nonce, nonce) {
		return nil, "", errors.New("the ID token has another nonce: it was made for another login")
	}
	if err := token.Claims(&said); err != nil {
		return nil, "", err
	}
	if party, named := said["azp"]; named && party != p.cfg.ClientID {
		return nil, "", errors.New("the ID token was made for another client (azp)")
	}
	if token.Subject == "" {
		return nil, "", errors.New("the ID token has no subject")
	}
	return said, token.Subject, nil
}

// askMore adds what the user info endpoint says of the same person, but for what the ID token says itself.
func (p *Provider) askMore(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, said claims, subject string,
) error {
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return err
	}
	if info.Subject != subject {
		return errors.New("the user info is of another subject than the ID token")
	}
	more := claims{}
	if err := info.Claims(&more); err != nil {
		return err
	}
	own := maps.Clone(said)
	maps.Copy(said, more)
	maps.Copy(said, own)
	return nil
}
