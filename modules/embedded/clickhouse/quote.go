package clickhouse

import "strings"

func quoteIdentifier(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
}

func quoteString(s string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(s) + "'"
}

// unquote returns the name in a quoted identifier.
func unquote(s string) string {
	if len(s) < 2 {
		return s
	}
	quote := s[:1]
	s = strings.ReplaceAll(s[1:len(s)-1], quote+quote, quote)
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\`+quote, quote, `\n`, "\n", `\t`, "\t").Replace(s)
}

// unescapeTSV returns a value as it was before it was written tab-separated.
func unescapeTSV(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\'`, "'", `\0`, "\x00", `\r`, "\r", `\b`, "\b", `\f`, "\f").Replace(s)
}
