package weave

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"text/template/parse"
)

// Attributes is implemented by values that offer templates more than their fields.
type Attributes interface {
	// Attribute is a value, or a function of the arguments that follow the name; nil: there is none.
	Attribute(name string) any
}

// Functions are what templates can call. Each gives a value, and may give an error.
type Functions map[string]any

// Templates are parsed and checked. They are safe for concurrent use.
type Templates struct {
	trees map[string]*parse.Tree
	calls map[string]reflect.Value
	modes map[*parse.ActionNode]mode
}

// New parses texts, of which a later one can define again what an earlier one did.
func New(functions Functions, texts ...string) (*Templates, error) {
	t := &Templates{
		trees: map[string]*parse.Tree{}, calls: map[string]reflect.Value{}, modes: map[*parse.ActionNode]mode{},
	}
	names := map[string]any{}
	maps.Copy(names, builtins)
	maps.Copy(names, functions)
	for name, f := range names {
		t.calls[name] = reflect.ValueOf(f)
	}
	for _, text := range texts {
		trees, err := parse.Parse("", text, "{{", "}}", names)
		if err != nil {
			return nil, err
		}
		for name, tree := range trees {
			if t.trees[name] == nil || !parse.IsEmptyTree(tree.Root) {
				t.trees[name] = tree
			}
		}
	}
	for name, tree := range t.trees {
		if err := t.place(tree); err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
	}
	return t, nil
}

// Execute makes what a template says of a value. It is whole, or an error.
func (t *Templates) Execute(name string, value any) (text []byte, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failed:
			text, err = nil, r.error
		default: // of a function, or of an index that is not there
			text, err = nil, fmt.Errorf("%v", r)
		}
	}()
	s := &state{Templates: t, out: &bytes.Buffer{}}
	s.run(name, reflect.ValueOf(value), 0)
	return s.out.Bytes(), nil
}

// failed ends an execution.
type failed struct{ error }

func fail(format string, args ...any) { panic(failed{fmt.Errorf(format, args...)}) }
