package core

import (
	"errors"
	"fmt"
	"strconv"
)

// ID identifies a user, a post or any other row of the app. It is a positive 64-bit integer today;
// only this package and the column codecs may know that. In JSON it is a string, because 64-bit
// integers do not survive JavaScript.
type ID int64

// ErrInvalidID is returned for text that is not the decimal form of a positive 64-bit integer.
var ErrInvalidID = errors.New("not an id: want a decimal integer from 1 to 9223372036854775807")

// ParseID reads the decimal form of an id. It accepts exactly what String writes: no sign, no
// leading zero, no space.
func ParseID(s string) (ID, error) {
	if s == "" || s[0] < '1' || s[0] > '9' {
		return 0, ErrInvalidID
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, ErrInvalidID
	}
	return ID(n), nil
}

// Valid tells whether the id can name a row.
func (id ID) Valid() bool { return id > 0 }

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

// MarshalJSON writes the id as a JSON string.
func (id ID) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 22)
	b = append(b, '"')
	b = id.Append(b)
	return append(b, '"'), nil
}

// UnmarshalJSON reads an id from a JSON string or, leniently, from a JSON number.
func (id *ID) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	parsed, err := ParseID(s)
	if err != nil {
		return fmt.Errorf("%.24q: %w", s, err)
	}
	*id = parsed
	return nil
}
