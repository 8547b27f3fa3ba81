package clickhouse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// layout is how a column of some type lies in a block: enough to find its end, which is all that passing it on takes.
// Values are never decoded, so what a client wrote is what the engine reads, whatever the type is called.
type layout struct {
	kind  layoutKind
	size  uint64   // of a fixed value, in bytes
	elems []layout // nullable, array, low cardinality: one; tuple: each
}

type layoutKind uint8

const (
	layoutFixed layoutKind = iota
	layoutString
	layoutNullable
	layoutArray
	layoutTuple
	layoutLowCardinality
)

// maxTypeDepth bounds how deep types nest; real ones nest three or four levels.
const maxTypeDepth = 32

var errUnsupportedType = errors.New("type is not supported by the embedded server's protocol")

// fixedSize is the size of a value of a type whose values are all of one size.
func fixedSize(base string) (uint64, bool) {
	switch base {
	case "Int8", "UInt8", "Bool", "Enum8", "Nothing":
		return 1, true
	case "Int16", "UInt16", "Enum16", "Date", "BFloat16":
		return 2, true
	case "Int32", "UInt32", "Float32", "Date32", "DateTime", "DateTime32", "Time", "IPv4", "Decimal32":
		return 4, true
	case "Int64", "UInt64", "Float64", "DateTime64", "Time64", "Decimal64":
		return 8, true
	case "Int128", "UInt128", "UUID", "IPv6", "Decimal128":
		return 16, true
	case "Int256", "UInt256", "Decimal256":
		return 32, true
	}
	if strings.HasPrefix(base, "Interval") {
		return 8, true
	}
	return 0, false
}

// parseLayout derives the layout from a type's name, such as Map(LowCardinality(String), Array(Nullable(UInt64))).
func parseLayout(typeName string) (layout, error) {
	l, err := parseLayoutAt(strings.TrimSpace(typeName), 0)
	if err != nil {
		return layout{}, fmt.Errorf("%.200q: %w", typeName, err)
	}
	return l, nil
}

func parseLayoutAt(typeName string, depth int) (layout, error) {
	if depth > maxTypeDepth {
		return layout{}, errors.New("type nests too deep")
	}
	base, inner, err := splitType(typeName)
	if err != nil {
		return layout{}, err
	}
	if size, ok := fixedSize(base); ok {
		return layout{kind: layoutFixed, size: size}, nil
	}
	args := splitTypeArguments(inner)
	switch base {
	case "String":
		return layout{kind: layoutString}, nil
	case "FixedString":
		n, err := strconv.ParseUint(strings.TrimSpace(inner), 10, 24)
		if err != nil || n == 0 {
			return layout{}, errors.New("bad length of a FixedString")
		}
		return layout{kind: layoutFixed, size: n}, nil
	case "Decimal":
		return decimalLayout(args)
	case "Nullable":
		return wrapLayout(layoutNullable, args, depth)
	case "Array":
		return wrapLayout(layoutArray, args, depth)
	case "LowCardinality":
		return lowCardinalityLayout(args, depth)
	case "Tuple":
		return tupleLayout(args, depth)
	case "Nested":
		return arrayOf(tupleLayout(args, depth))
	case "Map":
		if len(args) != 2 {
			return layout{}, errors.New("a Map has a key and a value")
		}
		return arrayOf(tupleLayout(args, depth))
	case "SimpleAggregateFunction":
		if len(args) != 2 {
			return layout{}, errors.New("a SimpleAggregateFunction has a function and a type")
		}
		return parseLayoutAt(args[1], depth+1)
	}
	if alias, ok := geometry(base); ok {
		return parseLayoutAt(alias, depth+1)
	}
	return layout{}, errUnsupportedType
}

func geometry(name string) (string, bool) {
	switch name {
	case "Point":
		return "Tuple(Float64, Float64)", true
	case "Ring", "LineString":
		return "Array(Point)", true
	case "Polygon", "MultiLineString":
		return "Array(Array(Point))", true
	case "MultiPolygon":
		return "Array(Array(Array(Point)))", true
	default:
		return "", false
	}
}

func wrapLayout(kind layoutKind, args []string, depth int) (layout, error) {
	if len(args) != 1 {
		return layout{}, errors.New("exactly one type is expected inside")
	}
	elem, err := parseLayoutAt(args[0], depth+1)
	if err != nil {
		return layout{}, err
	}
	return layout{kind: kind, elems: []layout{elem}}, nil
}

func lowCardinalityLayout(args []string, depth int) (layout, error) {
	l, err := wrapLayout(layoutLowCardinality, args, depth)
	if err != nil {
		return layout{}, err
	}
	// The dictionary of a nullable type holds plain values; its first one stands for NULL.
	if l.elems[0].kind == layoutNullable {
		l.elems = l.elems[0].elems
	}
	if k := l.elems[0].kind; k != layoutFixed && k != layoutString {
		return layout{}, errors.New("LowCardinality of a compound type")
	}
	return l, nil
}

func tupleLayout(args []string, depth int) (layout, error) {
	l := layout{kind: layoutTuple, elems: make([]layout, 0, len(args))}
	for _, arg := range args {
		elem, err := parseLayoutAt(withoutElementName(arg), depth+1)
		if err != nil {
			return layout{}, err
		}
		l.elems = append(l.elems, elem)
	}
	if len(args) == 0 {
		// An empty tuple is written as one byte a row.
		return layout{kind: layoutFixed, size: 1}, nil
	}
	return l, nil
}

func arrayOf(elem layout, err error) (layout, error) {
	if err != nil {
		return layout{}, err
	}
	return layout{kind: layoutArray, elems: []layout{elem}}, nil
}

func decimalLayout(args []string) (layout, error) {
	precision := uint64(10)
	if len(args) > 0 {
		var err error
		if precision, err = strconv.ParseUint(args[0], 10, 8); err != nil {
			return layout{}, errors.New("bad precision of a Decimal")
		}
	}
	switch {
	case precision < 1 || precision > 76:
		return layout{}, errors.New("bad precision of a Decimal")
	case precision <= 9:
		return layout{kind: layoutFixed, size: 4}, nil
	case precision <= 18:
		return layout{kind: layoutFixed, size: 8}, nil
	case precision <= 38:
		return layout{kind: layoutFixed, size: 16}, nil
	default:
		return layout{kind: layoutFixed, size: 32}, nil
	}
}

// splitType splits Name(arguments).
func splitType(s string) (base, inner string, err error) {
	i := strings.IndexByte(s, '(')
	if i < 0 {
		return s, "", nil
	}
	if !strings.HasSuffix(s, ")") {
		return "", "", errors.New("parentheses do not match")
	}
	return strings.TrimSpace(s[:i]), s[i+1 : len(s)-1], nil
}

// splitTypeArguments splits at the commas outside of parentheses and quotes.
func splitTypeArguments(s string) []string {
	l := &lexer{text: s}
	var (
		args  []string
		depth int
		start int
	)
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		switch {
		case l.is(t, "("):
			depth++
		case l.is(t, ")"):
			depth--
		case depth == 0 && l.is(t, ","):
			args = append(args, strings.TrimSpace(s[start:t.start]))
			start = t.end
		}
	}
	if last := strings.TrimSpace(s[start:]); last != "" || len(args) > 0 {
		args = append(args, last)
	}
	return args
}

// withoutElementName drops the name from an element of a named tuple, `id UInt64`.
func withoutElementName(s string) string {
	l := &lexer{text: s}
	name, next := l.next(), l.next()
	if (name.kind == tokenWord || name.kind == tokenQuoted) && (next.kind == tokenWord || next.kind == tokenQuoted) {
		return s[next.start:]
	}
	return s
}
