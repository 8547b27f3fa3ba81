package pgvalue

import (
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// elements are the array types that are written as JSON arrays, with their elements' types.
var elements = map[uint32]uint32{
	pgtype.BoolArrayOID: pgtype.BoolOID, pgtype.Int2ArrayOID: pgtype.Int2OID, pgtype.Int4ArrayOID: pgtype.Int4OID,
	pgtype.Int8ArrayOID: pgtype.Int8OID, pgtype.Float4ArrayOID: pgtype.Float4OID,
	pgtype.Float8ArrayOID: pgtype.Float8OID,
	pgtype.TextArrayOID:   pgtype.TextOID, pgtype.VarcharArrayOID: pgtype.VarcharOID,
	pgtype.UUIDArrayOID:    pgtype.UUIDOID,
	pgtype.NumericArrayOID: pgtype.NumericOID, pgtype.TimestampArrayOID: pgtype.TimestampOID,
	pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID, pgtype.DateArrayOID: pgtype.DateOID,
}

// IsArray tells whether values of the type are written as JSON arrays.
func IsArray(oid uint32) bool {
	_, ok := elements[oid]
	return ok
}

// appendArray reads PostgreSQL's array literal, "Array Input and Output Syntax" in its manual. What does not
// parse is written as a string.
func appendArray(dst []byte, element uint32, literal string) []byte {
	s := literal
	if i := strings.Index(s, "={"); strings.HasPrefix(s, "[") && i > 0 {
		s = s[i+1:] // bounds other than 1
	}
	out, rest, ok := appendDimension(dst, element, s, 0)
	if !ok || rest != "" {
		return appendString(dst, literal)
	}
	return out
}

const maxDimensions = 6 // PostgreSQL's own limit

func appendDimension(dst []byte, element uint32, s string, depth int) (out []byte, rest string, ok bool) {
	if depth == maxDimensions || !strings.HasPrefix(s, "{") {
		return dst, s, false
	}
	dst = append(dst, '[')
	s = s[1:]
	for first := true; ; first = false {
		if strings.HasPrefix(s, "}") {
			return append(dst, ']'), s[1:], true
		}
		if !first {
			if !strings.HasPrefix(s, ",") {
				return dst, s, false
			}
			dst, s = append(dst, ','), s[1:]
		}
		if strings.HasPrefix(s, "{") {
			if dst, s, ok = appendDimension(dst, element, s, depth+1); !ok {
				return dst, s, false
			}
			continue
		}
		value, quoted, after, ok := scanElement(s)
		if !ok {
			return dst, s, false
		}
		if !quoted && strings.EqualFold(value, "null") {
			dst = append(dst, "null"...)
		} else {
			dst = Append(dst, element, []byte(value))
		}
		s = after
	}
}

func scanElement(s string) (value string, quoted bool, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ",}")
		if end <= 0 {
			return "", false, s, false
		}
		return s[:end], false, s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), true, s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", true, s, false
			}
		}
		b.WriteByte(s[i])
	}
	return "", true, s, false
}
