package weave

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// state is an execution.
type state struct {
	*Templates
	out  *bytes.Buffer
	vars []variable
}

type variable struct {
	name  string
	value reflect.Value
}

// maxDepth bounds templates that call each other.
const maxDepth = 50

func (s *state) run(name string, dot reflect.Value, depth int) {
	tree := s.trees[name]
	if tree == nil || depth > maxDepth {
		fail("there is no template %q, or it calls itself", name)
	}
	inner := &state{Templates: s.Templates, out: s.out, vars: []variable{{"$", dot}}}
	inner.walk(dot, tree.Root, depth)
}

func (s *state) walk(dot reflect.Value, node parse.Node, depth int) {
	switch n := node.(type) {
	case *parse.ListNode:
		for _, one := range n.Nodes {
			s.walk(dot, one, depth)
		}
	case *parse.TextNode:
		s.out.Write(n.Text)
	case *parse.ActionNode:
		value := s.pipeline(dot, n.Pipe)
		if len(n.Pipe.Decl) == 0 {
			s.write(value, s.modes[n])
		}
	case *parse.IfNode:
		s.scoped(func() { s.branch(dot, dot, s.pipeline(dot, n.Pipe), &n.BranchNode, depth) })
	case *parse.WithNode:
		s.scoped(func() {
			value := s.pipeline(dot, n.Pipe)
			s.branch(value, dot, value, &n.BranchNode, depth)
		})
	case *parse.RangeNode:
		s.scoped(func() { s.each(dot, n, depth) })
	case *parse.TemplateNode:
		var value reflect.Value
		if n.Pipe != nil {
			value = s.pipeline(dot, n.Pipe)
		}
		s.run(n.Name, value, depth+1)
	}
}

// scoped forgets the variables that are declared meanwhile.
func (s *state) scoped(do func()) {
	before := len(s.vars)
	do()
	s.vars = s.vars[:before]
}

// branch goes on with one dot where a value is true, with another where it is not.
func (s *state) branch(then, otherwise, value reflect.Value, n *parse.BranchNode, depth int) {
	switch {
	case truth(value):
		s.walk(then, n.List, depth)
	case n.ElseList != nil:
		s.walk(otherwise, n.ElseList, depth)
	}
}

func (s *state) each(dot reflect.Value, n *parse.RangeNode, depth int) {
	over := bare(s.pipeline(dot, &parse.PipeNode{NodeType: n.Pipe.NodeType, Line: n.Pipe.Line, Cmds: n.Pipe.Cmds}))
	one := func(key, value reflect.Value) {
		s.scoped(func() {
			switch len(n.Pipe.Decl) {
			case 1:
				s.vars = append(s.vars, variable{n.Pipe.Decl[0].Ident[0], value})
			case 2:
				s.vars = append(s.vars, variable{n.Pipe.Decl[0].Ident[0], key},
					variable{n.Pipe.Decl[1].Ident[0], value})
			}
			s.walk(value, n.List, depth)
		})
	}
	some := false
	switch over.Kind() {
	case reflect.Invalid:
	case reflect.Slice, reflect.Array:
		for i := range over.Len() {
			some = true
			one(reflect.ValueOf(i), over.Index(i))
		}
	case reflect.Map:
		keys := over.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			some = true
			one(key, over.MapIndex(key))
		}
	default:
		fail("range over %s", over.Type())
	}
	if !some && n.ElseList != nil {
		s.walk(dot, n.ElseList, depth)
	}
}

// bare is a value without the interfaces and pointers around it; invalid for nil.
func bare(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

// truth is that of templates: what is zero or empty is false.
func truth(v reflect.Value) bool {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() { //nolint:exhaustive // the others follow
	case reflect.Invalid:
		return false
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return v.Len() > 0
	case reflect.Struct:
		return true
	}
	return !v.IsZero()
}

// escapes are those of html/template, within text and quotes.
var escapes = strings.NewReplacer(`&`, "&amp;", `<`, "&lt;", `>`, "&gt;", `"`, "&#34;", `'`, "&#39;", `+`, "&#43;",
	"\x00", "\uFFFD")

func (s *state) write(v reflect.Value, how mode) {
	text := printed(v)
	if how == address && !leadsWithin(text) {
		text = "#"
	}
	_, _ = escapes.WriteString(s.out, text) // into memory
}

// leadsWithin tells whether an address is one of this host.
func leadsWithin(text string) bool {
	return text == "" || text[0] == '#' || text[0] == '?' ||
		text[0] == '/' && !strings.HasPrefix(text, "//") && !strings.HasPrefix(text, `/\`)
}

func printed(v reflect.Value) string {
	if !v.IsValid() {
		return ""
	}
	switch known := v.Interface().(type) {
	case nil:
		return ""
	case fmt.Stringer, error:
		return fmt.Sprint(known)
	}
	if v = bare(v); !v.IsValid() {
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// builtins are those of text/template that are in use; and, or and not are told apart by their names.
var builtins = map[string]any{
	"and": nothing, "or": nothing, "not": func(v any) bool { return !truth(reflect.ValueOf(v)) },
	"eq": equal, "ne": func(a, b any) bool { return !equal(a, b) },
	"lt": func(a, b any) bool { return order(a, b) < 0 }, "le": func(a, b any) bool { return order(a, b) <= 0 },
	"gt": func(a, b any) bool { return order(a, b) > 0 }, "ge": func(a, b any) bool { return order(a, b) >= 0 },
	"len":    func(v any) int { return bare(reflect.ValueOf(v)).Len() },
	"index":  func(v any, i int) any { return bare(reflect.ValueOf(v)).Index(i).Interface() },
	"printf": fmt.Sprintf,
}

func nothing() any { return nil }
