package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// constant is one number of the ranking, by its path such as weights.freshness.
type constant struct {
	Path  string
	Value json.Number
}

// constants are the numbers of a ranking, in their order.
func constants(ranking json.RawMessage) ([]constant, error) {
	decoder := json.NewDecoder(bytes.NewReader(ranking))
	decoder.UseNumber()
	var all []constant
	var within []string
	name := ""
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				within, name = append(within, name), ""
			case '}':
				if within = within[:len(within)-1]; len(within) == 0 {
					return all, nil
				}
			default:
				return nil, errors.New("a ranking has no lists")
			}
		case string:
			name = t
		case json.Number:
			path := append(slices.Clone(within[1:]), name) // the outermost object has no name
			all = append(all, constant{strings.Join(path, "."), t})
		default:
			return nil, fmt.Errorf("%s is no number", name)
		}
	}
}

// nested puts constants into the object that the API takes.
func nested(changes []constant) map[string]any {
	out := map[string]any{}
	for _, c := range changes {
		at, path := out, strings.Split(c.Path, ".")
		for _, name := range path[:len(path)-1] {
			next, ok := at[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[name] = next
			}
			at = next
		}
		at[path[len(path)-1]] = c.Value
	}
	return out
}

// difference is a constant that two rankings have otherwise.
type difference struct{ Path, From, To string }

func differences(before, after []constant) (all []difference) {
	known := make(map[string]json.Number, len(before))
	for _, c := range before {
		known[c.Path] = c.Value
	}
	for _, c := range after {
		if from, ok := known[c.Path]; ok && !equal(from, c.Value) {
			all = append(all, difference{c.Path, from.String(), c.Value.String()})
		}
	}
	return all
}

// equal compares what is written, as numbers.
func equal(a, b json.Number) bool {
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	return err1 == nil && err2 == nil && x == y
}

// schema is what the API's document says of a constant.
type schema struct {
	Type       string            `json:"type"`
	Minimum    *float64          `json:"minimum"`
	Maximum    *float64          `json:"maximum"`
	Properties map[string]schema `json:"properties"`
}

// rangeOf is what a constant may be, in words; empty where nothing is said.
func (s schema) rangeOf(path string) string {
	for name := range strings.SplitSeq(path, ".") {
		next, ok := s.Properties[name]
		if !ok {
			return ""
		}
		s = next
	}
	if s.Minimum == nil || s.Maximum == nil {
		return ""
	}
	write := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	text := write(*s.Minimum) + " to " + write(*s.Maximum)
	if s.Type == "integer" {
		text += ", whole"
	}
	return text
}
