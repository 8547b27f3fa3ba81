package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"strconv"
	"strings"
	"sync"

	"github.com/feedrank/feedrank/modules/core"
)

// Token is where an item was shown.
type Token struct {
	Session  uint64 // the session of pages
	Ranking  uint64 // the version of the ranking
	Position int    // from 1, over all pages of the session
	Source   string // a short word of ours: letters only
	Served   string // where the answer came from: letters only
}

// A token reads 1.<session, base 36>.<ranking>.<position>.<source>.<served>.<signature>.
const (
	version = "1"
	parts   = 7
	macSize = 9 // 12 characters: enough for what only counts
	// MaxLength bounds what is read.
	MaxLength = 128
)

// ErrInvalid is returned for a token that we did not make for this user and post.
var ErrInvalid = errors.New("not a feed_session of this user and post")

// Signer makes and checks tokens. It is safe for concurrent use.
type Signer struct{ pools []*sync.Pool }

// NewSigner makes a signer: the first secret signs, all verify.
func NewSigner(secrets [][]byte) *Signer {
	s := &Signer{}
	for _, secret := range secrets {
		s.pools = append(s.pools, &sync.Pool{New: func() any { return &mac{hash: hmac.New(sha256.New, secret)} }})
	}
	return s
}

type mac struct {
	hash hash.Hash
	head [len(purpose) + 16]byte
	sum  [sha256.Size]byte
}

// Append appends the token of an item.
func (s *Signer) Append(b []byte, user, post core.ID, t *Token) []byte {
	start := len(b)
	b = append(b, version+"."...)
	b = strconv.AppendUint(b, t.Session, 36)
	b = append(b, '.')
	b = strconv.AppendUint(b, t.Ranking, 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(t.Position), 10)
	b = append(b, '.')
	b = append(b, t.Source...)
	b = append(b, '.')
	b = append(b, t.Served...)
	body := b[start:]
	m, _ := s.pools[0].Get().(*mac)
	defer s.pools[0].Put(m)
	return base64.RawURLEncoding.AppendEncode(append(b, '.'), m.sign(user, post, body))
}

// Parse reads a token and checks that it was made for this user and post.
func (s *Signer) Parse(text string, user, post core.ID) (Token, error) {
	at := strings.LastIndexByte(text, '.')
	if at < 0 || len(text) > MaxLength {
		return Token{}, ErrInvalid
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(text[at+1:])
	if err != nil || !s.verifies(user, post, []byte(text[:at]), signature) {
		return Token{}, ErrInvalid
	}
	field := strings.Split(text, ".")
	if len(field) != parts || field[0] != version {
		return Token{}, ErrInvalid
	}
	session, err1 := strconv.ParseUint(field[1], 36, 64)
	ranking, err2 := strconv.ParseUint(field[2], 10, 64)
	position, err3 := strconv.Atoi(field[3])
	if errors.Join(err1, err2, err3) != nil {
		return Token{}, ErrInvalid
	}
	return Token{Session: session, Ranking: ranking, Position: position, Source: field[4], Served: field[5]}, nil
}

func (s *Signer) verifies(user, post core.ID, body, signature []byte) bool {
	for _, pool := range s.pools {
		m, _ := pool.Get().(*mac)
		ok := hmac.Equal(signature, m.sign(user, post, body))
		pool.Put(m)
		if ok {
			return true
		}
	}
	return false
}

// purpose keeps these signatures apart from others under the same secrets.
const purpose = "feedrank session"

// sign is valid until the next use of m.
func (m *mac) sign(user, post core.ID, body []byte) []byte {
	n := copy(m.head[:], purpose)
	binary.LittleEndian.PutUint64(m.head[n:], uint64(user))
	binary.LittleEndian.PutUint64(m.head[n+8:], uint64(post))
	m.hash.Reset()
	m.hash.Write(m.head[:])
	m.hash.Write(body)
	return m.hash.Sum(m.sum[:0])[:macSize]
}
