package provider

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"
)

// pending is a login that was begun. It is in the browser's cookie, sealed: nothing is kept here.
type pending struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of the code (PKCE)
	Next     string    `json:"a"` // where they wanted to go
	Until    time.Time `json:"u"`
}

// PendingFor is how long a login may take.
const PendingFor = 10 * time.Minute

func newSealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (p *Provider) seal(login pending) (string, error) {
	text, err := json.Marshal(login)
	if err != nil {
		return "", err
	}
	sealed := p.sealer.Seal(nil, nil, text, nil) //nolint:gosec // it makes a random nonce by itself
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// unseal is a login that was begun here, and not too long ago.
func (p *Provider) unseal(cookie string) (login pending, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return login, false
	}
	text, err := p.sealer.Open(nil, nil, sealed, nil)
	if err != nil || json.Unmarshal(text, &login) != nil {
		return login, false
	}
	return login, p.clock.Now().Before(login.Until)
}

func (p *Provider) begun(next, verifier string) pending {
	return pending{
		State: rand.Text(), Nonce: rand.Text(), Verifier: verifier, Next: next, Until: p.clock.Now().Add(PendingFor),
	}
}
