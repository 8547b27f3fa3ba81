package auth

import (
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/feedrank/feedrank/modules/core"
)

// A client sends the same token with every request, and to take one apart and verify it costs more than
// a cached feed: so tokens that verified are remembered for a while. What time decides (expiry, not
// before) is checked at every request; a key that was withdrawn is noticed within rememberFor.
const (
	rememberFor   = time.Minute
	maxRemembered = 16384
	maxTokenKept  = 2 << 10 // bytes; longer tokens are verified every time
)

// caller is what a verified token says.
type caller struct {
	claims  claims
	user    core.Key
	invalid error // why the subject is no user id; nil: it is one
	admin   bool
	reader  bool // of what /admin shows
	service bool
}

// expires is when the token does; zero: it does not say.
func (c *caller) expires() time.Time {
	if c.claims.ExpiresAt == nil {
		return time.Time{}
	}
	return c.claims.ExpiresAt.Time
}

type remembered struct {
	caller
	until time.Time
}

// memory holds tokens that verified. It is safe for concurrent use.
type memory struct {
	clock  core.Clock
	checks *jwt.Validator
	tokens *lru.Cache[string, *remembered]
}

func newMemory(clock core.Clock, options []jwt.ParserOption) (*memory, error) {
	tokens, err := lru.New[string, *remembered](maxRemembered)
	return &memory{clock: clock, checks: jwt.NewValidator(options...), tokens: tokens}, err
}

// find is what a token said when it was verified, unless that is too long ago or it holds no more.
func (m *memory) find(token string) (*caller, bool) {
	known, ok := m.tokens.Get(token)
	if !ok || m.clock.Now().After(known.until) || m.checks.Validate(&known.claims) != nil {
		return nil, false // verified anew, which tells what is wrong
	}
	return &known.caller, true
}

func (m *memory) keep(token string, c *caller) {
	if len(token) <= maxTokenKept {
		m.tokens.Add(strings.Clone(token), &remembered{caller: *c, until: m.clock.Now().Add(rememberFor)})
	}
}

var errSession = errors.New("a session stands for no user")

// read takes the words of the claims apart.
func (v *Verifier) read(c claims, session bool) *caller {
	out := &caller{
		claims: c, admin: c.has(v.cfg.AdminScope), reader: c.has(v.cfg.ReadScope),
		service: c.has(v.cfg.ActAsScope),
	}
	if session {
		out.invalid = errSession
		return out
	}
	out.user, out.invalid = v.cfg.UserKeys.Parse(c.user)
	return out
}
