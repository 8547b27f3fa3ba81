package envelope

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Foreign says that a record is written by a converter that we do not read. No other record of that connector will
// be readable either, so it is no dead letter: it says which setting of the connector is needed.
func Foreign(key, value []byte) error {
	for _, part := range []struct {
		name  string
		bytes []byte
	}{{"key", key}, {"value", value}} {
		if why := foreign(part.name, part.bytes); why != "" {
			return Errorf(ReasonForeign,
				"the %s is %s; set %s.converter=org.apache.kafka.connect.json.JsonConverter in the connector",
				part.name, why, part.name)
		}
	}
	return nil
}

func foreign(name string, b []byte) string {
	b = bytes.TrimLeft(b, " \t\r\n")
	switch {
	case len(b) == 0 || b[0] == '{' || string(b) == "null":
		return ""
	case b[0] == 0 && len(b) > 5:
		return "of a schema registry (Avro, Protobuf or JSON Schema)"
	case bytes.HasPrefix(b, []byte("Struct{")):
		if _, ok := structKey(b); ok && name == "key" {
			return ""
		}
		return "text of a StringConverter that cannot be told apart"
	case name == "key":
		return fmt.Sprintf("no JSON object but %.40q", b)
	}
	return "" // one odd value: a dead letter
}

// structKey reads Struct{id=7,at=…}, as Debezium's keys are under a StringConverter, where no value can be
// mistaken for a part of the text around it: integers and UUIDs.
func structKey(key []byte) (Row, bool) {
	text, ok := strings.CutPrefix(strings.TrimSpace(string(key)), "Struct{")
	if !ok || !strings.HasSuffix(text, "}") {
		return Row{}, false
	}
	fields := map[string]json.RawMessage{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(text, "}"), ",") {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || name == "":
			return Row{}, false
		case integer.MatchString(value):
			fields[name] = json.RawMessage(value)
		case uuids.MatchString(value):
			fields[name] = json.RawMessage(`"` + value + `"`)
		default:
			return Row{}, false
		}
	}
	return Row{fields: fields}, true
}

// StructKey writes a key as a StringConverter does, with the columns of a sample in their order; ok is false if
// the sample is none.
func StructKey(sample, key []byte) (text []byte, ok bool) {
	if _, ok := structKey(sample); !ok {
		return nil, false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(key, &fields) != nil {
		return nil, false
	}
	columns := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(sample)), "Struct{"), "}")
	var pairs []string
	for pair := range strings.SplitSeq(columns, ",") {
		name, _, _ := strings.Cut(pair, "=")
		pairs = append(pairs, name+"="+strings.Trim(string(fields[name]), `"`))
	}
	return []byte("Struct{" + strings.Join(pairs, ",") + "}"), true
}

var (
	integer = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	uuids   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)
