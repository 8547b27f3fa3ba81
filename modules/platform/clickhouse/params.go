package clickhouse

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// Parameter is a value of a query's {name:Type}, as it travels.
type Parameter = proto.Parameter

// Identifier is the name of a table or a column as a parameter: {table:Identifier}.
type Identifier string

// Literal is the text of an array or a tuple whose members stand in it as in a statement: for who writes
// thousands of them and cannot afford a value each. Members that are text come from AppendQuoted.
type Literal string

// Params are the parameters of a query, in the order of their names. See Param.
func Params(values map[string]any) []Parameter {
	all := make([]Parameter, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all = append(all, Param(key, values[key]))
	}
	return all
}

// Param is a parameter of a query. On the wire it is a literal in quotes, and what is within them the server
// reads as it reads a field of a tab-separated file, but for names and for arrays, which it reads as in a
// statement. So each kind of value has its own escapes, and this is the one place that writes them.
func Param(key string, value any) Parameter {
	var text string
	switch v := value.(type) {
	case Identifier:
		text = string(v)
	case Literal:
		text = string(v)
	default:
		text = literal(reflect.ValueOf(value))
	}
	return Parameter{Key: key, Value: string(AppendQuoted(make([]byte, 0, len(text)+16), text))}
}

// literal is a value as the server reads it within the quotes.
func literal(v reflect.Value) string {
	if s, ok := scalar(v); ok {
		return tabSeparated.Replace(s)
	}
	b := []byte{'['}
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(b, v.Index(i))
	}
	return string(append(b, ']'))
}

// scalar is the text of what is no list.
func scalar(v reflect.Value) (string, bool) {
	if number, ok := number(v); ok {
		return number, true
	}
	if s, ok := v.Interface().(fmt.Stringer); ok { // an array of bytes too, if it is a UUID
		return s.String(), true
	}
	if k := v.Kind(); k == reflect.Slice || k == reflect.Array {
		return "", false
	}
	return fmt.Sprint(v), true
}

func number(v reflect.Value) (string, bool) {
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'f', -1, 64), true
	}
	return "", false
}

func appendMember(b []byte, v reflect.Value) []byte {
	if v.CanInt() { // most lists are of ids
		return strconv.AppendInt(b, v.Int(), 10)
	}
	if n, ok := number(v); ok {
		return append(b, n...)
	}
	if s, ok := scalar(v); ok {
		return AppendQuoted(b, s)
	}
	return append(b, literal(v)...)
}

// AppendQuoted appends s as a string of a statement.
func AppendQuoted(b []byte, s string) []byte {
	b = append(b, '\'')
	for {
		i := strings.IndexAny(s, `\'`)
		if i < 0 {
			break
		}
		b = append(append(b, s[:i]...), '\\', s[i])
		s = s[i+1:]
	}
	return append(append(b, s...), '\'')
}

// tabSeparated escapes what would end a field of a tab-separated file, or would not be read as it stands.
var tabSeparated = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`, "\b", `\b`, "\f",
	`\f`)
