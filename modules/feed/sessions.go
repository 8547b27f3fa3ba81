package feed

import (
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/token"
)

// Sessions checks the tokens that items of feeds carry and that events bring back. It needs the
// secrets alone, so it works where no feed is made.
type Sessions struct{ tokens *token.Signer }

// NewSessions makes it. Without configured secrets it knows no token.
func NewSessions(cfg Config) (*Sessions, error) {
	secrets, err := secretsOf(cfg.CursorSecrets)
	if err != nil {
		return nil, err
	}
	return &Sessions{tokens: token.NewSigner(secrets)}, nil
}

// Valid tells whether a feed_session was given to this user for this post.
func (s *Sessions) Valid(user, post core.ID, session string) bool {
	_, err := s.tokens.Parse(session, user, post)
	return err == nil
}
