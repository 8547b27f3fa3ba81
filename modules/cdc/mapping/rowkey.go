package mapping

import (
	"strings"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// RowKey is a primary key as text: the values in the order of the columns' names, joined by a colon.
// Letters, digits, `-`, `_` and `.` stand for themselves, any other byte as %XX, so that the text
// needs no quoting anywhere and two keys never meet.
func RowKey(key envelope.Row) (string, error) {
	if key.Empty() {
		return "", envelope.Errorf(envelope.ReasonNoKey, "the record has no key")
	}
	var b strings.Builder
	for i, column := range key.Columns() {
		if i > 0 {
			b.WriteByte(':')
		}
		if key.IsNull(column) {
			return "", envelope.Errorf(envelope.ReasonNoKey, "key column %s is null", column)
		}
		text, err := key.Text(column)
		if err != nil {
			return "", err
		}
		escape(&b, text)
	}
	return b.String(), nil
}

func escape(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
}
