package weave

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// mode is how what an action gives is written.
type mode uint8

const (
	escaped mode = iota
	address      // the beginning of an address, too
)

// place is where in a page something stands.
type place struct {
	in    part
	tag   string // the element's name
	name  string // of the attribute
	value string // what the attribute's value begins with
}

type part uint8

const (
	inText  part = iota
	inTag        // between attributes
	inEqual      // behind an attribute's =
	inValue      // within quotes
	inRaw        // of a script or a style
)

// place finds where each action stands, and refuses those that stand where escaping would not hold them.
func (t *Templates) place(tree *parse.Tree) error {
	end, err := t.list(tree.Root, place{})
	if err == nil && end.in != inText {
		err = fmt.Errorf("it ends within a tag <%s>", end.tag)
	}
	return err
}

func (t *Templates) list(list *parse.ListNode, at place) (place, error) {
	if list == nil {
		return at, nil
	}
	for _, node := range list.Nodes {
		var err error
		if at, err = t.node(node, at); err != nil {
			return at, err
		}
	}
	return at, nil
}

func (t *Templates) node(node parse.Node, at place) (place, error) {
	switch n := node.(type) {
	case *parse.TextNode:
		return at.after(string(n.Text))
	case *parse.ActionNode:
		if len(n.Pipe.Decl) > 0 {
			return at, nil
		}
		how, err := at.mode()
		if err != nil {
			return at, fmt.Errorf("%s: %w", n, err)
		}
		t.modes[n] = how
		if at.in == inValue {
			at.value += "x"
		}
		return at, nil
	case *parse.IfNode:
		return t.branches(&n.BranchNode, at)
	case *parse.WithNode:
		return t.branches(&n.BranchNode, at)
	case *parse.RangeNode:
		return t.branches(&n.BranchNode, at)
	case *parse.TemplateNode:
		if at.in != inText {
			return at, fmt.Errorf("%s: a template stands in text", n)
		}
		return at, nil
	case *parse.CommentNode:
		return at, nil
	}
	return at, fmt.Errorf("%s: this is not supported", node)
}

// branches must end in the same place, for what follows stands there.
func (t *Templates) branches(n *parse.BranchNode, at place) (place, error) {
	first, err := t.list(n.List, at)
	if err != nil {
		return at, err
	}
	second, err := t.list(n.ElseList, at)
	if err != nil {
		return at, err
	}
	if first.in != second.in || first.tag != second.tag || first.in == inValue && first.name != second.name {
		return at, fmt.Errorf("%s: its branches end in different places", n)
	}
	if second.value == "" { // an address may begin behind it
		return second, nil
	}
	return first, nil
}

// leads are the attributes that are addresses.
var leads = []string{"href", "src", "action", "formaction", "poster", "data", "xlink:href"}

func (p place) mode() (mode, error) {
	switch {
	case p.in == inText:
		return escaped, nil
	case p.in != inValue:
		return 0, fmt.Errorf("an action stands in text or within a quoted attribute, not within <%s>", p.tag)
	case strings.HasPrefix(p.name, "on"), p.name == "style", p.name == "srcdoc", p.name == "srcset":
		return 0, fmt.Errorf("no action may stand in the attribute %s", p.name)
	case slices.Contains(leads, p.name) && p.value == "",
		p.tag == "meta" && p.name == "content" && strings.HasSuffix(p.value, "url="):
		return address, nil
	}
	return escaped, nil
}

// after is the place behind a text.
func (p place) after(text string) (place, error) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch p.in {
		case inText:
			if c == '<' {
				p = place{in: inTag, tag: nameAt(text[i+1:])}
				i += len(p.tag)
			}
		case inRaw:
			if strings.HasPrefix(text[i:], "</") {
				p = place{in: inTag, tag: nameAt(text[i+1:])}
				i += len(p.tag)
			}
		case inTag:
			switch {
			case c == '>' && (p.tag == "script" || p.tag == "style"):
				p = place{in: inRaw, tag: p.tag}
			case c == '>':
				p = place{}
			case c == '=':
				p.in = inEqual
			case c == ' ' || c == '\n' || c == '\t' || c == '/':
				p.name = ""
			case c == '"' || c == '\'':
				return p, fmt.Errorf("a quote within <%s>", p.tag)
			default:
				p.name += strings.ToLower(string(c))
			}
		case inEqual:
			if c != '"' {
				return p, fmt.Errorf("the attribute %s of <%s> has no double quotes", p.name, p.tag)
			}
			p.in, p.value = inValue, ""
		case inValue:
			if c == '"' {
				p.in, p.name, p.value = inTag, "", ""
			} else {
				p.value += string(c)
			}
		}
	}
	return p, nil
}

// nameAt is the name of the element that begins here, with the slash of its end.
func nameAt(text string) string {
	end := strings.IndexAny(text, " \n\t>")
	if end < 0 {
		end = len(text)
	}
	return strings.ToLower(text[:end])
}
