package docs

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a place in the document.
type node struct{ *yaml.Node }

// get is what stands below a name, or nothing.
func (n node) get(name string) node {
	for key, value := range n.members() {
		if key == name {
			return value
		}
	}
	return node{}
}

// members are the names of a mapping and what stands below them, in the document's order.
func (n node) members() iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		if n.Node == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, node{n.Content[i+1]}) {
				return
			}
		}
	}
}

// list are the places of a sequence.
func (n node) list() []node {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	all := make([]node, len(n.Content))
	for i, one := range n.Content {
		all[i] = node{one}
	}
	return all
}

func (n node) text() string {
	if n.Node == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return strings.TrimSpace(n.Value)
}

func (n node) missing() bool { return n.Node == nil }

// texts are the scalars of a sequence, or the one that stands in its place.
func (n node) texts() []string {
	if text := n.text(); text != "" {
		return []string{text}
	}
	var all []string
	for _, one := range n.list() {
		all = append(all, one.text())
	}
	return all
}

// document is openapi.yaml.
type document struct{ root node }

func read(source []byte) (document, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(source, &root); err != nil {
		return document{}, fmt.Errorf("openapi.yaml: %w", err)
	}
	return document{node{root.Content[0]}}, nil
}

// follow is what a place refers to, where it does; and the last part of the reference.
func (d document) follow(n node) (found node, name string, err error) {
	ref := n.get("$ref").text()
	if ref == "" {
		return n, "", nil
	}
	found = d.root
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		found, name = found.get(part), part
	}
	if found.missing() {
		return found, name, fmt.Errorf("openapi.yaml: there is no %s", ref)
	}
	return found, name, nil
}

// methods are those that a path may have, in the order in which they are shown.
var methods = []string{"get", "post", "put", "patch", "delete"}

// operations are the calls with a tag.
func (d document) operations(tag string) ([]Operation, error) {
	var all []Operation
	for path, item := range d.root.get("paths").members() {
		for _, method := range methods {
			call := item.get(method)
			if call.missing() || !slices.Contains(call.get("tags").texts(), tag) {
				continue
			}
			op, err := d.operation(strings.ToUpper(method), path, call)
			if err != nil {
				return nil, err
			}
			all = append(all, op)
		}
	}
	return all, nil
}

func (d document) operation(method, path string, call node) (Operation, error) {
	op := Operation{
		ID: call.get("operationId").text(), Method: method, Path: path, Summary: call.get("summary").text(),
		Says: call.get("description").text(), Token: call.get("security").missing(),
	}
	for _, given := range call.get("parameters").list() {
		parameter, _, err := d.follow(given)
		if err != nil {
			return op, err
		}
		takes, err := d.typeOf(parameter.get("schema"))
		if err != nil {
			return op, err
		}
		op.Parameters = append(op.Parameters, Field{
			Name: parameter.get("name").text(), In: parameter.get("in").text(), Type: takes,
			Required: parameter.get("required").text() == "true", Says: parameter.get("description").text(),
		})
	}
	if body := call.get("requestBody"); !body.missing() {
		media, err := d.media(body)
		if err != nil {
			return op, err
		}
		op.Body = media
		if op.Example, err = d.example(body.get("content").get("application/json").get("schema")); err != nil {
			return op, err
		}
	}
	var err error
	op.Answers, err = d.answers(call.get("responses"))
	return op, err
}

// answers puts those together that are the same but for their status.
func (d document) answers(responses node) ([]Answer, error) {
	var all []Answer
	places := map[string]int{} // of those that have a name
	for status, given := range responses.members() {
		if status == "default" {
			status = "others"
		}
		answer, name, err := d.follow(given)
		if err != nil {
			return nil, err
		}
		if at, there := places[name]; there && name != "" {
			all[at].Status += ", " + status
			continue
		}
		media, err := d.media(answer)
		if err != nil {
			return nil, err
		}
		places[name] = len(all)
		all = append(all, Answer{Status: status, Says: answer.get("description").text(), Media: media})
	}
	return all, nil
}

// media are the forms of a body.
func (d document) media(body node) ([]Media, error) {
	var all []Media
	for name, form := range body.get("content").members() {
		one := Media{Name: name}
		if schema := form.get("schema"); !schema.missing() {
			var err error
			if one.Type, err = d.typeOf(schema); err != nil {
				return nil, err
			}
		}
		all = append(all, one)
	}
	return all, nil
}
