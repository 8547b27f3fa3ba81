package weave

import (
	"cmp"
	"reflect"
	"text/template/parse"
)

// pipeline is the value of commands, each of which is given that of the one before as its last argument.
func (s *state) pipeline(dot reflect.Value, pipe *parse.PipeNode) (value reflect.Value) {
	for i, command := range pipe.Cmds {
		var last []reflect.Value
		if i > 0 {
			last = []reflect.Value{value}
		}
		value = s.command(dot, command, last)
	}
	for _, declared := range pipe.Decl {
		if pipe.IsAssign {
			*s.variable(declared.Ident[0]) = value
			continue
		}
		s.vars = append(s.vars, variable{declared.Ident[0], value})
	}
	return value
}

func (s *state) variable(name string) *reflect.Value {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			return &s.vars[i].value
		}
	}
	fail("there is no variable %s", name)
	return nil
}

func (s *state) command(dot reflect.Value, c *parse.CommandNode, last []reflect.Value) reflect.Value {
	args := func() []reflect.Value {
		all := make([]reflect.Value, 0, len(c.Args))
		for _, arg := range c.Args[1:] {
			all = append(all, s.value(dot, arg))
		}
		return append(all, last...)
	}
	switch n := c.Args[0].(type) {
	case *parse.IdentifierNode:
		if n.Ident == "and" || n.Ident == "or" {
			return s.logic(dot, c, n.Ident == "and")
		}
		return call(n.Ident, s.calls[n.Ident], args())
	case *parse.FieldNode:
		return chain(dot, n.Ident, args())
	case *parse.VariableNode:
		return chain(*s.variable(n.Ident[0]), n.Ident[1:], args())
	case *parse.ChainNode:
		return chain(s.value(dot, n.Node), n.Field, args())
	}
	if len(c.Args) > 1 || last != nil {
		fail("%s takes no arguments", c.Args[0])
	}
	return s.value(dot, c.Args[0])
}

// logic looks no further than it must: a value that decides is the result.
func (s *state) logic(dot reflect.Value, c *parse.CommandNode, and bool) (value reflect.Value) {
	for _, arg := range c.Args[1:] {
		if value = s.value(dot, arg); truth(value) != and {
			return value
		}
	}
	return value
}

// value is that of an argument.
func (s *state) value(dot reflect.Value, node parse.Node) reflect.Value {
	switch n := node.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return chain(dot, n.Ident, nil)
	case *parse.VariableNode:
		return chain(*s.variable(n.Ident[0]), n.Ident[1:], nil)
	case *parse.ChainNode:
		return chain(s.value(dot, n.Node), n.Field, nil)
	case *parse.PipeNode:
		return s.pipeline(dot, n)
	case *parse.IdentifierNode:
		return call(n.Ident, s.calls[n.Ident], nil)
	case *parse.BoolNode:
		return reflect.ValueOf(n.True)
	case *parse.StringNode:
		return reflect.ValueOf(n.Text)
	case *parse.NumberNode:
		if n.IsInt {
			return reflect.ValueOf(int(n.Int64))
		}
		return reflect.ValueOf(n.Float64)
	case *parse.NilNode:
		return reflect.Value{}
	}
	fail("%s is no value", node)
	return reflect.Value{}
}

// chain is a field of a field of a value. The arguments are of the last.
func chain(v reflect.Value, fields []string, args []reflect.Value) reflect.Value {
	for i, name := range fields {
		var own []reflect.Value
		if i == len(fields)-1 {
			own = args
		}
		v = field(v, name, own)
	}
	if len(fields) == 0 && len(args) > 0 {
		fail("a value takes no arguments")
	}
	return v
}

// field is a field of a struct, a key of a map, or an attribute of a value.
func field(v reflect.Value, name string, args []reflect.Value) reflect.Value {
	found := reflect.Value{}
	inner := bare(v)
	switch inner.Kind() { //nolint:exhaustive // all others have none
	case reflect.Invalid:
		fail("%s of nothing", name)
	case reflect.Struct:
		if found = inner.FieldByName(name); found.IsValid() && !found.CanInterface() {
			fail("%s of %s is not for others", name, inner.Type())
		}
	case reflect.Map:
		if found = inner.MapIndex(reflect.ValueOf(name)); !found.IsValid() {
			return found
		}
	}
	if !found.IsValid() {
		for _, holder := range []reflect.Value{v, inner} {
			if offers, ok := holder.Interface().(Attributes); ok {
				found = reflect.ValueOf(offers.Attribute(name))
				break
			}
		}
	}
	switch {
	case !found.IsValid():
		fail("%s has no %s", inner.Type(), name)
	case found.Kind() == reflect.Func:
		return call(name, found, args)
	case len(args) > 0:
		fail("%s of %s takes no arguments", name, inner.Type())
	}
	return found
}

// call gives arguments to a function as it wants them.
func call(name string, f reflect.Value, args []reflect.Value) reflect.Value {
	t := f.Type()
	fixed := t.NumIn()
	if t.IsVariadic() {
		fixed--
	}
	if len(args) < fixed || len(args) > fixed && !t.IsVariadic() {
		fail("%s takes %d arguments, not %d", name, fixed, len(args))
	}
	given := make([]reflect.Value, len(args))
	for i, arg := range args {
		wanted := t.In(min(i, t.NumIn()-1))
		if i >= fixed {
			wanted = wanted.Elem()
		}
		given[i] = fit(name, arg, wanted)
	}
	out := f.Call(given)
	if len(out) == 2 && !out[1].IsNil() {
		err, _ := out[1].Interface().(error)
		fail("%s: %w", name, err)
	}
	return out[0]
}

// fit is an argument as a type: as it is, without a pointer, or as another type of number or text.
func fit(name string, arg reflect.Value, wanted reflect.Type) reflect.Value {
	for arg.Kind() == reflect.Interface {
		arg = arg.Elem()
	}
	if !arg.IsValid() {
		return reflect.Zero(wanted)
	}
	for _, v := range []reflect.Value{arg, bare(arg)} {
		switch {
		case !v.IsValid():
		case v.Type().AssignableTo(wanted):
			return v
		case v.Kind() == wanted.Kind() && v.CanConvert(wanted), isNumber(v.Kind()) && isNumber(wanted.Kind()):
			return v.Convert(wanted)
		}
	}
	fail("%s: %s is not %s", name, arg.Type(), wanted)
	return arg
}

func isNumber(k reflect.Kind) bool {
	return k >= reflect.Int && k <= reflect.Float64 && k != reflect.Uintptr
}

func equal(a any, others ...any) bool {
	for _, b := range others {
		x, y := bare(reflect.ValueOf(a)), bare(reflect.ValueOf(b))
		switch {
		case !x.IsValid() || !y.IsValid():
			if x.IsValid() == y.IsValid() {
				return true
			}
		case x.Kind() == reflect.Bool && y.Kind() == reflect.Bool:
			if x.Bool() == y.Bool() {
				return true
			}
		default:
			if order(a, b) == 0 {
				return true
			}
		}
	}
	return false
}

// order compares texts, and numbers of whichever types.
func order(a, b any) int {
	x, y := bare(reflect.ValueOf(a)), bare(reflect.ValueOf(b))
	switch {
	case x.Kind() == reflect.String && y.Kind() == reflect.String:
		return cmp.Compare(x.String(), y.String())
	case x.IsValid() && y.IsValid() && isNumber(x.Kind()) && isNumber(y.Kind()):
		if x.CanInt() && y.CanInt() {
			return cmp.Compare(x.Int(), y.Int())
		}
		if x.CanUint() && y.CanUint() {
			return cmp.Compare(x.Uint(), y.Uint())
		}
		number := reflect.TypeFor[float64]()
		return cmp.Compare(x.Convert(number).Float(), y.Convert(number).Float())
	}
	fail("%v and %v cannot be compared", a, b)
	return 0
}
