package docs

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// example is a body that a schema takes, with what it requires.
func (d document) example(schema node) (string, error) {
	var b strings.Builder
	if err := d.writeExample(&b, schema, noName); err != nil || b.Len() == 0 {
		return "", err
	}
	var out bytes.Buffer
	err := json.Indent(&out, []byte(b.String()), "", "  ")
	return out.String(), err
}

// samples are values of texts, by the name of their member and by their format.
var samples = map[string]string{
	"date-time": "2026-11-29T12:00:00Z", "uuid": "6f1f64c0-9d8f-4e0a-b3d5-2c1a7e5b9f10", "date": "2026-11-29",
	"ID": "42", "": "text",
}

// noName is of a member whose schema has none.
const noName = "-"

func (d document) writeExample(b *strings.Builder, schema node, name string) error {
	found, ref, err := d.follow(schema)
	if err != nil || found.missing() {
		return err
	}
	if ref != "" {
		name = ref
	}
	quoted := func(text string) { b.WriteString(strconv.Quote(text)) }
	switch kind := first(found.get("type").texts()); {
	case !found.get("const").missing():
		quoted(found.get("const").text())
	case !found.get("enum").missing():
		quoted(found.get("enum").list()[0].text())
	case !found.get("anyOf").missing():
		return d.writeExample(b, found.get("anyOf").list()[0], name)
	case kind == "array":
		b.WriteByte('[')
		err = d.writeExample(b, found.get("items"), noName)
		b.WriteByte(']')
	case kind == "integer" || kind == "number":
		b.WriteString(first(append(found.get("minimum").texts(), "0")))
	case kind == "boolean":
		b.WriteString("true")
	case kind == "string":
		if sample, known := samples[name]; known {
			quoted(sample)
		} else {
			quoted(samples[found.get("format").text()])
		}
	default:
		return d.writeObject(b, found)
	}
	return err
}

func (d document) writeObject(b *strings.Builder, schema node) error {
	b.WriteByte('{')
	for i, name := range schema.get("required").texts() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(name) + ":")
		if err := d.writeExample(b, schema.get("properties").get(name), noName); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func first(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}
