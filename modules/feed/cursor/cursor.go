package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"slices"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/take"
)

// Algo is the order that a session follows.
type Algo uint8

// The orders. The numbers are in cursors that clients hold: never reuse one.
const (
	Ranked   Algo = 1
	Timeline Algo = 2
	StandIn  Algo = 3 // a timeline in the place of a ranked order that could not be made
)

// ByTime tells whether the order is that of time.
func (a Algo) ByTime() bool { return a == Timeline || a == StandIn }

// Cursor is where a session of pages stands.
type Cursor struct {
	Algo      Algo
	Session   uint64    // names the snapshot of a ranked order
	StartedAt time.Time // when the first page was made; milliseconds
	Ranking   uint64    // the version of the ranking that the session began with
	Shown     int       // how many posts were served before
	Narrowing uint64    // what the session was narrowed to: a hash; 0: to nothing
	// Ranked only: up to which place the session's order was served, but for the deferred places before it,
	// ascending, whose posts come as soon as they break no rule of variety.
	Place    int
	Deferred []int
	// Ranked only: the posts that were served, in their order. None of a very long session: then only the
	// snapshot can tell.
	Served Served
	// By time only: the last post that was sent.
	LastCreated int64 // microseconds since 1970
	LastPost    core.ID
}

const (
	version         = 2
	withNarrowing   = 3 // where there is one: older programs need not read it else
	withoutDeferred = 1 // an older one, which is still read
	macSize         = 16
	// MaxDeferred is how many places a cursor can defer.
	MaxDeferred = 128
	// MaxLength bounds what is decoded: about 80 bytes, 4 for each post that was served, and 2 for each that
	// was deferred.
	MaxLength = 4096
)

// Codec signs and checks cursors. It is safe for concurrent use.
type Codec struct {
	signers []*sync.Pool // of hash.Hash, the first signs
	ttl     time.Duration
	clock   core.Clock
}

// NewCodec makes a codec. The first secret signs, all of them verify, so that secrets can be
// changed. Cursors hold for ttl after the first page of their session.
func NewCodec(secrets [][]byte, ttl time.Duration, clock core.Clock) *Codec {
	c := &Codec{ttl: ttl, clock: clock}
	for _, secret := range secrets {
		c.signers = append(c.signers, &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }})
	}
	return c
}

// Encode makes the token that lets user, and nobody else, go on at cur.
func (c *Codec) Encode(user core.ID, cur Cursor) string {
	b := make([]byte, 0, 96+len(cur.Served))
	form := byte(version)
	if cur.Narrowing != 0 {
		form = withNarrowing
	}
	b = append(b, form, byte(cur.Algo))
	b = binary.LittleEndian.AppendUint64(b, cur.Session)
	b = binary.AppendVarint(b, cur.StartedAt.UnixMilli())
	b = binary.AppendUvarint(b, cur.Ranking)
	b = binary.AppendUvarint(b, uint64(cur.Shown))
	if cur.Narrowing != 0 {
		b = binary.AppendUvarint(b, cur.Narrowing)
	}
	if cur.Algo.ByTime() {
		b = binary.AppendVarint(b, cur.LastCreated)
		b = binary.AppendVarint(b, int64(cur.LastPost))
	} else {
		b = cur.appendOrder(b)
	}
	b = append(b, sign(c.signers[0], user, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (cur *Cursor) appendOrder(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(cur.Place))
	b = binary.AppendUvarint(b, uint64(len(cur.Deferred))) // a few
	last := 0
	for _, place := range cur.Deferred {
		b = binary.AppendUvarint(b, uint64(place-last)) // ascending
		last = place
	}
	if cur.Served.Len() == cur.Shown && cur.Shown <= MaxServed {
		b = append(b, cur.Served...)
	}
	return b
}

// Decode reads a token. What we did not make for this user is CodeInvalidCursor; what is too old
// is CodeCursorExpired.
func (c *Codec) Decode(user core.ID, token string) (Cursor, error) {
	if len(token) > MaxLength {
		return Cursor{}, invalid()
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < macSize+2 {
		return Cursor{}, invalid()
	}
	body, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if !c.verifies(user, body, mac) {
		return Cursor{}, invalid()
	}
	cur, ok := parse(body)
	if !ok {
		return Cursor{}, Expired() // ours, of a version that we no longer read
	}
	if c.clock.Now().Sub(cur.StartedAt) > c.ttl {
		return Cursor{}, Expired()
	}
	return cur, nil
}

// Expired is the error for a session that cannot be continued.
func Expired() error {
	return &core.Error{
		Code: core.CodeCursorExpired, Field: "cursor",
		Message: "this session of pages is over; start anew without a cursor",
	}
}

func invalid() error {
	return &core.Error{
		Code: core.CodeInvalidCursor, Field: "cursor",
		Message: "not a cursor that was given to this user; start anew without one",
	}
}

func (c *Codec) verifies(user core.ID, body, mac []byte) bool {
	for _, signer := range c.signers {
		if hmac.Equal(mac, sign(signer, user, body)) {
			return true
		}
	}
	return false
}

// Tells is whether the cursor alone tells what the session has served.
func (cur *Cursor) Tells() bool { return cur.Served.Len() == cur.Shown }

// sign binds the user without carrying them: a token tells nobody whose it is.
func sign(signers *sync.Pool, user core.ID, body []byte) []byte {
	h, _ := signers.Get().(hash.Hash)
	defer signers.Put(h)
	h.Reset()
	var id [8]byte
	binary.LittleEndian.PutUint64(id[:], uint64(user))
	h.Write([]byte("feedrank cursor"))
	h.Write(id[:])
	h.Write(body)
	return h.Sum(nil)[:macSize]
}

func parse(b []byte) (cur Cursor, ok bool) {
	if len(b) < 10 || b[0] < withoutDeferred || b[0] > withNarrowing {
		return Cursor{}, false
	}
	cur.Algo = Algo(b[1])
	cur.Session = binary.LittleEndian.Uint64(b[2:])
	r := take.From(b[10:])
	cur.StartedAt = time.UnixMilli(r.Varint()).UTC()
	cur.Ranking = r.Uvarint()
	shown := r.Uvarint()
	if b[0] == withNarrowing {
		cur.Narrowing = r.Uvarint()
	}
	if cur.Algo.ByTime() {
		cur.LastCreated = r.Varint()
		cur.LastPost = core.ID(r.Varint())
	} else {
		cur.readOrder(&r, shown, b[0])
	}
	if r.Bad || len(r.Left) != 0 || shown > most || (cur.Algo != Ranked && !cur.Algo.ByTime()) {
		return Cursor{}, false
	}
	cur.Shown = int(shown)
	return cur, true
}

// most bounds what is counted in a cursor.
const most = 1 << 20

func (cur *Cursor) readOrder(r *take.Bytes, shown uint64, version byte) {
	place, deferred, last := shown, uint64(0), uint64(0) // nothing was deferred: places are posts
	if version != withoutDeferred {
		place, deferred = r.Uvarint(), r.Uvarint()
	}
	r.Bad = r.Bad || place > most || deferred > MaxDeferred
	for n := uint64(0); n < deferred && !r.Bad; n++ {
		next := last + r.Uvarint()
		r.Bad = r.Bad || next >= place || n > 0 && next == last
		last = next
		cur.Deferred = append(cur.Deferred, int(last))
	}
	if len(r.Left) > 0 && shown == uint64(len(r.Left)/servedSize) && len(r.Left)%servedSize == 0 {
		cur.Served, r.Left = slices.Clip(Served(r.Left)), nil
	}
	cur.Place = int(place)
}
