package core

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ID is the number by which a key of the app is known inside. A decimal integer within ±2^62 is its
// own number. Any other key (a UUID, a ULID, any text, an integer beyond) has one that is derived from
// its text and lies beyond ±2^62, so that the two never meet. Whether two texts have the same derived
// number is for the keys module to find out, which also knows the text of a derived number.
//
// 0 names nobody: the key "0" is a text. In JSON an id is a string, because 64-bit integers do not
// survive JavaScript.
type ID int64

// MaxKey is how long a key may be, in bytes.
const MaxKey = 64

// beyond is the smallest size of a derived number.
const beyond = 1 << 62

// NoID is the one number that no key has, derived or its own. It marks what is no id among ids.
const NoID = -beyond

// ErrInvalidID is returned for text that can be no key.
var ErrInvalidID = errors.New("not a key: want 1 to 64 bytes of UTF-8 without control characters")

// ParseID gives the number of a key. The same key has the same number everywhere and always.
func ParseID(key string) (ID, error) {
	if n, ok := ownNumber(key); ok {
		return n, nil
	}
	if key == "" || len(key) > MaxKey || !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
		return 0, ErrInvalidID
	}
	return derive(key), nil
}

// ownNumber reads an integer that is its own number: in the form that String writes, and no other.
func ownNumber(key string) (ID, bool) {
	digits := strings.TrimPrefix(key, "-")
	if digits == "" || digits[0] < '1' || digits[0] > '9' || len(digits) > 19 {
		return 0, false
	}
	n, err := strconv.ParseInt(key, 10, 64)
	return ID(n), err == nil && !ID(n).Derived()
}

// derive takes the first eight bytes of the key's SHA-256 and sets the second bit to what the sign is
// not: then the size is 2^62 or more. PostgreSQL and ClickHouse can say the same.
func derive(key string) ID {
	var b [MaxKey]byte // []byte(key) would be on the heap
	sum := sha256.Sum256(b[:copy(b[:], key)])
	n := ID(binary.BigEndian.Uint64(sum[:8]))
	if n < 0 {
		return n &^ beyond
	}
	return n | beyond
}

// Derived tells whether the number was made from a text: then String is not the app's key.
func (id ID) Derived() bool { return id >= beyond || id <= -beyond }

// Valid tells whether the id can name a row.
func (id ID) Valid() bool { return id != 0 }

// Hash spreads ids that follow each other over a table (the finalizer of splitmix64).
func (id ID) Hash() uint64 {
	x := uint64(id)
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// String is the decimal form.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// Append appends the decimal form to b.
func (id ID) Append(b []byte) []byte { return strconv.AppendInt(b, int64(id), 10) }

// ParseNumber reads what String wrote, of every number. What the app or a client wrote is for ParseID.
func ParseNumber(s string) (ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n == 0 || ID(n).String() != s {
		return 0, errNoNumber
	}
	return ID(n), nil
}

var errNoNumber = errors.New("not a number of a key")

// MarshalJSON writes the number as a JSON string. It is for what we write for ourselves: the app is told
// its Key.
func (id ID) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 22)
	b = append(b, '"')
	b = id.Append(b)
	return append(b, '"'), nil
}

// UnmarshalJSON reads a number from a JSON string or, leniently, from a JSON number.
func (id *ID) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	parsed, err := ParseNumber(s)
	if err != nil {
		return fmt.Errorf("%.24q: %w", s, err)
	}
	*id = parsed
	return nil
}
