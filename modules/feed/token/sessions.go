package token

import (
	"crypto/rand"

	"github.com/feedrank/feedrank/modules/core"
)

// Sessions checks the tokens that items of feeds carry and that events bring back. It needs the
// secrets alone, so it works where no feed is made.
type Sessions struct{ tokens *Signer }

// NewSessions makes it. Without configured secrets it knows no token.
func NewSessions(configured []string) (*Sessions, error) {
	secrets, err := Secrets(configured)
	if err != nil {
		return nil, err
	}
	return &Sessions{tokens: NewSigner(secrets)}, nil
}

// Valid tells whether a feed_session was given to this user for this post.
func (s *Sessions) Valid(user, post core.ID, session string) bool {
	_, err := s.tokens.Parse(session, user, post)
	return err == nil
}

// Secrets are the configured ones, or a random one: then what is signed holds in this process alone.
func Secrets(configured []string) ([][]byte, error) {
	if len(configured) == 0 {
		random := make([]byte, 32)
		_, err := rand.Read(random)
		return [][]byte{random}, err
	}
	secrets := make([][]byte, len(configured))
	for i, s := range configured {
		secrets[i] = []byte(s)
	}
	return secrets, nil
}
