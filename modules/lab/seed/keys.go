package seed

import (
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/feedrank/feedrank/modules/core"
)

// Keys are how the users and posts of a world, which it numbers, are called in the app: by these numbers, or by UUIDs
// that are made of them.
type Keys core.KeyForm

// errKeys is of any other form.
var errKeys = errors.New("keys: want integer or uuid")

func (k Keys) check() error {
	switch core.KeyForm(k) {
	case "", core.IntegerKeys, core.UUIDKeys:
		return nil
	case core.TextKeys:
	}
	return errKeys
}

// UUIDs tells whether keys are those.
func (k Keys) UUIDs() bool { return core.KeyForm(k) == core.UUIDKeys }

// User is the key of a user.
func (k Keys) User(n core.ID) core.Key { return k.key(n, 'u') }

// Post is the key of a post.
func (k Keys) Post(n core.ID) core.Key { return k.key(n, 'p') }

func (k Keys) key(n core.ID, kind byte) core.Key {
	if !k.UUIDs() {
		return core.Key{ID: n}
	}
	key, err := core.ParseKey(Text(uuidOf(n, kind)))
	if err != nil {
		panic(err) // a UUID is a key
	}
	return key
}

// Text is a UUID as PostgreSQL writes it.
func Text(id [16]byte) string {
	b := make([]byte, 36)
	hex.Encode(b, id[:4])
	hex.Encode(b[9:], id[4:6])
	hex.Encode(b[14:], id[6:8])
	hex.Encode(b[19:], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b)
}

// uuidOf makes a UUID that looks random of a number below 2^48: in no order that the numbers have.
func uuidOf(n core.ID, kind byte) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], (n<<8 | core.ID(kind)).Hash())
	binary.BigEndian.PutUint64(id[8:], uint64(n)&(1<<48-1)|uint64(kind)<<48)
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// user, post and comment are the values of columns.
func (k Keys) user(n core.ID) any    { return k.value(n, 'u') }
func (k Keys) post(n core.ID) any    { return k.value(n, 'p') }
func (k Keys) comment(n core.ID) any { return k.value(n, 'c') }

func (k Keys) value(n core.ID, kind byte) any {
	if k.UUIDs() {
		return uuidOf(n, kind)
	}
	return int64(n)
}
