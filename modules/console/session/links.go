package session

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Links log in once each, for whoever has one: they are told to who starts the program by hand. They hold in this
// process only. It is safe for concurrent use.
type Links struct {
	clock core.Clock

	mu    sync.Mutex
	codes map[string]link
}

type link struct {
	token string
	until time.Time
}

// maxLinks bounds those that nobody has used.
const maxLinks = 100

// NewLinks makes an empty list.
func NewLinks(clock core.Clock) *Links { return &Links{clock: clock, codes: map[string]link{}} }

// Issue makes a code that stands for a token, once and for so long. It is empty where too many wait.
func (l *Links) Issue(token string, validFor time.Duration) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	for code, link := range l.codes {
		if !now.Before(link.until) {
			delete(l.codes, code)
		}
	}
	if len(l.codes) >= maxLinks {
		return ""
	}
	code := rand.Text()
	l.codes[code] = link{token: token, until: now.Add(validFor)}
	return code
}

// Redeem gives the token of a code, and takes the code out of use.
func (l *Links) Redeem(code string) (token string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, known := l.codes[code]
	delete(l.codes, code)
	if !known || !l.clock.Now().Before(found.until) {
		return "", false
	}
	return found.token, true
}
