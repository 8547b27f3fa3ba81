package docs

import (
	"fmt"
	"slices"
	"strings"
)

// Type is what a schema takes, for people.
type Type struct {
	Words  string  // what it is: text, list of, one of …, and its bounds
	Ref    string  // a schema of the document: it is shown once, and linked to
	Of     []Type  // the members of a list or a map, or what it may be
	Fields []Field // of an object
	Says   string
}

// Field is a parameter, or a member of an object.
type Field struct {
	Name     string
	In       string // of a parameter: path, query, header
	Type     Type
	Required bool
	Says     string
}

// words of the types that the document names.
var words = map[string]string{
	"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "object",
	"array": "list", "null": "null",
}

var formats = map[string]string{"date-time": "a time, RFC 3339", "uuid": "a UUID", "date": "a day"}

// typeOf says what a schema takes.
func (d document) typeOf(schema node) (Type, error) {
	if ref := schema.get("$ref").text(); ref != "" {
		_, name, err := d.follow(schema)
		return Type{Ref: name, Says: schema.get("description").text()}, err
	}
	t := Type{Says: schema.get("description").text()}
	var err error
	switch {
	case !schema.get("anyOf").missing():
		t.Words = "one of these"
		t.Of, err = d.typesOf(schema.get("anyOf").list())
		return t, err
	case !schema.get("allOf").missing():
		t.Words = "all of these together"
		t.Of, err = d.typesOf(schema.get("allOf").list())
		if err != nil {
			return t, err
		}
	case !schema.get("items").missing():
		t.Words = "list" + bounds(schema, "minItems", "maxItems", "members") + " of"
		t.Of, err = d.typesOf([]node{schema.get("items")})
		return t, err
	case schema.get("additionalProperties").get("type").text() != "" ||
		schema.get("additionalProperties").get("$ref").text() != "":
		t.Words = "object whose members, by any name, are each"
		t.Of, err = d.typesOf([]node{schema.get("additionalProperties")})
		return t, err
	default:
		t.Words = scalar(schema)
	}
	required := schema.get("required").texts()
	for name, property := range schema.get("properties").members() {
		of, err := d.typeOf(property)
		if err != nil {
			return t, err
		}
		t.Fields = append(t.Fields, Field{Name: name, Type: of, Required: slices.Contains(required, name)})
	}
	for _, name := range required {
		if schema.get("properties").get(name).missing() && len(t.Of) == 0 { // it is only said that it is there
			t.Fields = append(t.Fields, Field{Name: name, Required: true})
		}
	}
	return t, nil
}

func (d document) typesOf(schemas []node) ([]Type, error) {
	all := make([]Type, 0, len(schemas))
	for _, schema := range schemas {
		t, err := d.typeOf(schema)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// scalar are the words for a schema without parts.
func scalar(schema node) string {
	var said string
	switch {
	case !schema.get("const").missing():
		return schema.get("const").text()
	case !schema.get("enum").missing():
		said = strings.Join(schema.get("enum").texts(), ", ")
	default:
		var kinds []string
		for _, kind := range schema.get("type").texts() {
			kinds = append(kinds, words[kind])
		}
		said = strings.Join(kinds, " or ")
	}
	if format := schema.get("format").text(); format != "" {
		said += " (" + formats[format] + ")"
	}
	said += bounds(schema, "minimum", "maximum", "")
	said += bounds(schema, "minLength", "maxLength", "characters")
	if pattern := schema.get("pattern").text(); pattern != "" {
		said += ", as " + pattern
	}
	if standard := schema.get("default").text(); standard != "" {
		said += "; " + standard + " where it is left out"
	}
	return said
}

// bounds are the words for a lower and an upper one.
func bounds(schema node, least, most, of string) string {
	from, to := schema.get(least).text(), schema.get(most).text()
	if of != "" {
		of = " " + of
	}
	switch {
	case from != "" && to != "":
		return fmt.Sprintf(", %s to %s%s", from, to, of)
	case from != "":
		return fmt.Sprintf(", at least %s%s", from, of)
	case to != "":
		return fmt.Sprintf(", at most %s%s", to, of)
	}
	return ""
}
