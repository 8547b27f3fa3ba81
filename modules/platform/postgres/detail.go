package postgres

import "strings"

// Detail is what can be kept of an error, at most so many bytes of it. Text in PostgreSQL is UTF-8 without zeros; an
// error may quote anything.
func Detail(err error, most int) string {
	if err == nil {
		return ""
	}
	text := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "?"), "\x00", "?")
	return strings.ToValidUTF8(text[:min(len(text), most)], "") // the last letter may be cut
}
