package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/httpserver/textcheck"
)

// Path is where the cookies of the console are sent.
const Path = "/console"

const (
	cookieName  = "feedrank_console"
	noteName    = "feedrank_console_note"
	pendingName = "feedrank_console_login"
)

// maxToken is the longest token that fits into a cookie: browsers drop those above 4 KiB without a word.
const maxToken = 3900

// Session is somebody who is logged in.
type Session struct {
	Token string
	Name  string // the subject of the token
	Reads bool   // sees everything, and changes nothing
}

// ErrNoScope tells that a token holds, and opens nothing here.
var ErrNoScope = errors.New("the token has neither the scope of an operator nor the one that only reads")

// Open makes a session of a token, or says why it opens none: ErrNoScope, or what is wrong with the token.
func Open(auth httpserver.Authenticator, token string) (*Session, error) {
	if len(token) > maxToken {
		return nil, core.Errorf(core.CodeUnauthenticated,
			"the token is longer than %d bytes, which is all that a cookie holds", maxToken)
	}
	who, err := auth.Authenticate(http.Header{"Authorization": {"Bearer " + token}})
	switch {
	case err != nil:
		return nil, err
	case !who.Admin && !who.AdminRead:
		return nil, ErrNoScope
	}
	name := who.Subject
	if name == "" && who.UserID.Valid() {
		name = who.User().String()
	}
	return &Session{Token: token, Name: name, Reads: !who.Admin}, nil
}

// Of is the session that a request belongs to. ok is false where nobody is logged in.
func Of(auth httpserver.Authenticator, r *http.Request) (s *Session, ok bool, err error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil || cookie.Value == "" {
		return nil, false, nil //nolint:nilerr // without a cookie nobody is logged in
	}
	s, err = Open(auth, cookie.Value)
	return s, err == nil, err
}

// Mark is what every form of a session carries. Who does not know the token cannot make it.
func (s *Session) Mark() string {
	sum := sha256.Sum256([]byte("feedrank console form\x00" + s.Token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Holds tells whether a form carries the mark of this session.
func (s *Session) Holds(mark string) bool {
	return subtle.ConstantTimeCompare([]byte(mark), []byte(s.Mark())) == 1
}

// Cookie keeps a session in the browser until it is closed, and at most so long.
func (s *Session) Cookie(https bool, most time.Duration) *http.Cookie {
	return cookie(cookieName, s.Token, https, int(most.Seconds()))
}

// Ended takes it out of the browser.
func Ended(https bool) *http.Cookie { return cookie(cookieName, "", https, -1) }

func cookie(name, value string, https bool, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure where the browser speaks TLS
		Name: name, Value: value, Path: Path, MaxAge: maxAge, Secure: https, HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	}
}

// Pending keeps a login at a provider that was begun. It is sent when the provider leads back here, so it is Lax.
func Pending(sealed string, https bool, most time.Duration) *http.Cookie {
	c := cookie(pendingName, sealed, https, int(most.Seconds())) //nolint:gosec // Secure where the browser speaks TLS
	c.Path, c.SameSite = Path+"/login", http.SameSiteLaxMode
	return c
}

// NotPending takes it out of the browser.
func NotPending(https bool) *http.Cookie {
	c := Pending("", https, 0) //nolint:gosec // as above
	c.MaxAge = -1
	return c
}

// PendingOf is the login that a request goes on with; empty: none.
func PendingOf(r *http.Request) string {
	found, err := r.Cookie(pendingName)
	if err != nil {
		return ""
	}
	return found.Value
}

// Note keeps what an action did for the page that follows it.
func Note(text string, https bool) *http.Cookie {
	if len(text) > 1000 {
		text = text[:1000]
	}
	return cookie(noteName, base64.RawURLEncoding.EncodeToString([]byte(text)), https, 60)
}

// NoteOf is the note that a request carries, and the cookie that takes it away; nil where there is none.
func NoteOf(r *http.Request, https bool) (string, *http.Cookie) {
	found, err := r.Cookie(noteName)
	if err != nil {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(found.Value)
	if err != nil || !textcheck.IsText(string(text)) {
		text = nil
	}
	return string(text), cookie(noteName, "", https, -1)
}
