package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// claims are what we read of a token. Which claims hold the user and the scopes is configuration; names are
// compared exactly.
type claims struct {
	jwt.RegisteredClaims // Subject is also that of a number
	user                 string
	scopes               []string
	userClaim            string
	scopeClaims          []string // the first that is there counts
}

// newClaims are empty ones that know where to look.
func (v *Verifier) newClaims() claims {
	c := claims{userClaim: v.cfg.UserClaim, scopeClaims: []string{v.cfg.ScopeClaim}}
	if v.cfg.ScopeClaim == "" {
		c.scopeClaims = []string{"scope", "scp"}
	}
	return c
}

var errClaim = errors.New("a claim has a shape that we do not read")

// UnmarshalJSON reads the claims of a token.
func (c *claims) UnmarshalJSON(text []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, into := range map[string]any{
		"iss": &c.Issuer, "aud": &c.Audience, "exp": &c.ExpiresAt, "nbf": &c.NotBefore, "iat": &c.IssuedAt,
	} {
		if raw, ok := all[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return fmt.Errorf("%w: %s: %w", errClaim, name, err)
			}
		}
	}
	var err error
	if c.Subject, err = textOrNumber(all["sub"]); err != nil {
		return fmt.Errorf("%w: sub: %w", errClaim, err)
	}
	if c.user, err = textOrNumber(all[c.userClaim]); err != nil {
		return fmt.Errorf("%w: %s: %w", errClaim, c.userClaim, err)
	}
	for _, name := range c.scopeClaims {
		if raw, ok := all[name]; ok {
			if c.scopes, err = words(raw); err != nil {
				return fmt.Errorf("%w: %s: %w", errClaim, name, err)
			}
			break
		}
	}
	return nil
}

// textOrNumber is a claim as text. Of a number it is what the token says, digit by digit: as a float64 it
// could be another user.
func textOrNumber(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9' {
		return string(raw), nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return "", errors.New("neither text nor a number")
	}
	return text, nil
}

// words are scopes: words separated by spaces (RFC 8693), or a list of words.
func words(raw json.RawMessage) ([]string, error) {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil, errors.New("neither text nor a list of texts")
	}
	return strings.Fields(text), nil
}

// has tells whether one of the scopes is exactly this word.
func (c *claims) has(scope string) bool { return slices.Contains(c.scopes, scope) }
