package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// publicKey is one key of a set, and the one algorithm that it verifies.
type publicKey struct {
	id        string
	algorithm string
	key       jwt.VerificationKey
}

// document is what we read of a key (RFC 7517, 7518, 8037). Certificates and their thumbprints are not:
// nothing here rests on them, and a wrong one is no reason to refuse the key beside it.
type document struct {
	ID         string          `json:"kid"`
	Type       string          `json:"kty"`
	Use        string          `json:"use"`
	Operations json.RawMessage `json:"key_ops"`
	Algorithm  string          `json:"alg"`
	Curve      string          `json:"crv"`
	X          string          `json:"x"`
	Y          string          `json:"y"`
	N          string          `json:"n"`
	E          string          `json:"e"`
}

// readKey reads a key; the id is told also of one that cannot be used.
func readKey(raw json.RawMessage) (publicKey, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return publicKey{id: d.ID}, errors.New("a member of the key is of another type than RFC 7517 says")
	}
	out := publicKey{id: d.ID}
	switch {
	case d.Use != "" && d.Use != "sig":
		return out, fmt.Errorf("it is for the use %q, not for signatures", d.Use)
	case !d.verifies():
		return out, fmt.Errorf("its key_ops %s have no verify", d.Operations)
	}
	parsed, err := jwkset.NewJWKFromMarshal(jwkset.JWKMarshal{
		KTY: jwkset.KTY(d.Type), CRV: jwkset.CRV(d.Curve), X: d.X, Y: d.Y, N: d.N, E: d.E,
	}, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return out, err
	}
	var names []string // that alg may have
	switch key := parsed.Key().(type) {
	case *rsa.PublicKey:
		out.key, out.algorithm, names = key, "RS256", []string{"RS256"}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return out, fmt.Errorf("its curve is %s: ES256 takes P-256", d.Curve)
		}
		out.key, out.algorithm, names = key, "ES256", []string{"ES256"}
	case ed25519.PublicKey:
		out.key, out.algorithm, names = key, "EdDSA", []string{"EdDSA", "Ed25519"}
	default:
		return out, fmt.Errorf("its type %s verifies none of RS256, ES256, EdDSA", d.Type)
	}
	if d.Algorithm != "" && !slices.Contains(names, d.Algorithm) {
		return out, fmt.Errorf("it is for %s; taken are RS256, ES256, EdDSA", d.Algorithm)
	}
	return out, nil
}

// verifies tells whether key_ops, if there are any, allow for signatures. Some providers list that of the
// private half.
func (d document) verifies() bool {
	var operations []string
	if len(d.Operations) == 0 || json.Unmarshal(d.Operations, &operations) != nil || len(operations) == 0 {
		return true
	}
	return slices.Contains(operations, "verify") || slices.Contains(operations, "sign")
}
