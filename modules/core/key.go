package core

import (
	"errors"
	"strconv"
	"strings"
)

// Key is a key of the app: its number, and its text where the number was derived from it. Text is empty
// for a number that is its own key.
type Key struct {
	ID   ID
	Text string
}

// ParseKey gives the number of a key, and keeps the text where that is needed.
func ParseKey(text string) (Key, error) {
	id, err := ParseID(text)
	if err != nil || !id.Derived() {
		return Key{ID: id}, err
	}
	return Key{ID: id, Text: text}, nil
}

// String is the key as the app has it.
func (k Key) String() string {
	if k.Text != "" {
		return k.Text
	}
	return k.ID.String()
}

// MarshalJSON writes the key as a JSON string.
func (k Key) MarshalJSON() ([]byte, error) { return k.AppendJSON(nil), nil }

// AppendJSON appends the key as a JSON string.
func (k Key) AppendJSON(b []byte) []byte {
	if k.Text != "" {
		return AppendJSONText(b, k.Text)
	}
	return append(k.ID.Append(append(b, '"')), '"')
}

// AppendJSONText appends the text of a key, which has no control characters, as a JSON string.
func AppendJSONText(b []byte, text string) []byte {
	b = append(b, '"')
	for {
		at := strings.IndexAny(text, `"\<>&`)
		if at < 0 {
			return append(append(b, text...), '"')
		}
		b = append(b, text[:at]...)
		switch c := text[at]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		default: // as encoding/json writes them: a page may hold the answer
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
		text = text[at+1:]
	}
}

// KeyForm is what the keys of a table look like. The zero value is IntegerKeys.
type KeyForm string

// The forms.
const (
	IntegerKeys KeyForm = "integer" // 64-bit integers, but for 0
	UUIDKeys    KeyForm = "uuid"    // in lower case; upper case is folded
	TextKeys    KeyForm = "text"    // anything that can be a key
)

// KeyForms are the forms of the keys by which clients name things.
type KeyForms struct {
	Users  KeyForm
	Posts  KeyForm
	Groups KeyForm // which clients never name
}

var (
	errNoInteger = errors.New("want a decimal integer from -9223372036854775808 to 9223372036854775807, and not 0")
	errNoUUID    = errors.New("want a UUID such as 0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f")
)

// Parse reads a key as a client writes it.
func (f KeyForm) Parse(text string) (Key, error) {
	switch f {
	case TextKeys:
		return ParseKey(text)
	case UUIDKeys:
		is, capitals := uuidForm(text)
		if !is {
			return Key{}, errNoUUID
		}
		if capitals {
			text = strings.ToLower(text)
		}
		return Key{ID: derive(text), Text: text}, nil // it is a text as ParseKey wants one
	case IntegerKeys:
	}
	if n, ok := ownNumber(text); ok {
		return Key{ID: n}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || !ID(n).Derived() || ID(n).String() != text {
		return Key{}, errNoInteger
	}
	return ParseKey(text)
}

// ID reads a key of which the text is not needed.
func (f KeyForm) ID(text string) (ID, error) {
	k, err := f.Parse(text)
	return k.ID, err
}

// Want says what a key of this form looks like.
func (f KeyForm) Want() string {
	switch f {
	case UUIDKeys:
		return errNoUUID.Error()
	case TextKeys:
		return "want 1 to 64 bytes of text"
	case IntegerKeys:
	}
	return errNoInteger.Error()
}

// uuidForm tells whether a text is a UUID with its hyphens, and whether it has capital letters.
func uuidForm(text string) (is, capitals bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false, false
	}
	var hyphens, all byte
	for i := range len(text) {
		class := uuidClass[text[i]]
		hyphens += class >> 7
		all |= class
	}
	return hyphens == 4 && all&notInUUID == 0, all&capital != 0
}

// What a byte is in a UUID.
const (
	capital   = 1 << 0
	notInUUID = 1 << 1
	hyphen    = 1 << 7
)

var uuidClass = func() (class [256]byte) {
	for i := range class {
		switch c := byte(i); {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		case 'A' <= c && c <= 'F':
			class[i] = capital
		case c == '-':
			class[i] = hyphen
		default:
			class[i] = notInUUID
		}
	}
	return class
}()
