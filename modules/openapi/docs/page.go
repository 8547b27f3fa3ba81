package docs

import (
	_ "embed" // the page and its style
	"strings"

	"github.com/feedrank/feedrank/modules/platform/weave"
)

var (
	//go:embed page.html
	pageText string
	//go:embed style.css
	style []byte
)

// functions are what the page can call.
var functions = weave.Functions{
	"lower": strings.ToLower,
	"good":  func(status string) bool { return status < "400" },
	"json":  func(media string) bool { return media == "application/json" || media == "application/problem+json" },
}

// Policy is what a browser may load for the page: its style.
const Policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page is what is shown.
type Page struct {
	Title   string
	Says    string
	Tags    []Tag
	Schemas []Schema
}

// Tag is a group of calls.
type Tag struct {
	Name, Says string
	Operations []Operation
}

// Operation is a call.
type Operation struct {
	ID, Method, Path, Summary, Says string
	Token                           bool // it takes one
	Parameters                      []Field
	Body                            []Media
	Example                         string // of a body, as JSON
	Answers                         []Answer
}

// Answer is one of a call's.
type Answer struct {
	Status, Says string
	Media        []Media
}

// Media is a form of a body.
type Media struct {
	Name string
	Type Type
}

// Schema is a type that has a name.
type Schema struct {
	Name string
	Type Type
}

// HTML is the page of a document.
func HTML(source []byte) ([]byte, error) {
	p, err := of(source)
	if err != nil {
		return nil, err
	}
	page, err := weave.New(functions, pageText)
	if err != nil {
		return nil, err
	}
	return page.Execute("", p)
}

// Style is its style sheet.
func Style() []byte { return style }

func of(source []byte) (Page, error) {
	d, err := read(source)
	if err != nil {
		return Page{}, err
	}
	info := d.root.get("info")
	p := Page{Title: info.get("title").text(), Says: info.get("description").text()}
	for _, tag := range d.root.get("tags").list() {
		one := Tag{Name: tag.get("name").text(), Says: tag.get("description").text()}
		if one.Operations, err = d.operations(one.Name); err != nil {
			return p, err
		}
		p.Tags = append(p.Tags, one)
	}
	for name, schema := range d.root.get("components").get("schemas").members() {
		t, err := d.typeOf(schema)
		if err != nil {
			return p, err
		}
		p.Schemas = append(p.Schemas, Schema{Name: name, Type: t})
	}
	return p, nil
}
