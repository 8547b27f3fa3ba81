//go:build real

package real_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/real/servers"
)

// shape is a record without what differs from run to run: times, places in the log and the numbers of
// transactions are replaced by their type. What rows hold is ours, and stays.
func shape(t *testing.T, r servers.Record) string {
	t.Helper()
	s := shaper{
		// Watermarks are random.
		signals: strings.HasSuffix(r.Topic, ".signals"),
		ids:     strings.HasSuffix(r.Topic, ".transaction"),
	}
	parts := []any{r.Topic, r.Partition, r.Offset, s.of(t, r.Key), s.of(t, r.Value)}
	for _, h := range r.Headers {
		if h.Key == "__debezium.context.runId" {
			h.Value = "a string"
		}
		parts = append(parts, h.Key, h.Value)
	}
	text, err := json.MarshalIndent(parts, "", " ")
	require.NoError(t, err)
	return string(text)
}

type shaper struct{ signals, ids bool }

func (s shaper) of(t *testing.T, text []byte) any {
	t.Helper()
	if len(text) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	require.NoError(t, decoder.Decode(&value), "%s", text)
	return s.walk("", "", value)
}

var digits = regexp.MustCompile(`\d+`)

func (s shaper) walk(parent, name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = s.walk(name, key, inner)
		}
		return v
	case []any:
		for i, inner := range v {
			v[i] = s.walk(name, "", inner)
		}
		return v
	case nil:
		return nil
	}
	switch {
	case name == "sequence":
		return digits.ReplaceAllString(fmt.Sprint(value), "N")
	case name == "data_collection": // of a message it is a Java object's name and address
		text, _, _ := strings.Cut(fmt.Sprint(value), "@")
		return text
	case name == "ts_ms" || name == "ts_us" || name == "ts_ns" || name == "lsn" || name == "txId" || name == "xmin",
		name == "id" && (s.ids || s.signals || parent == "transaction"),
		s.signals && name == "data":
		return fmt.Sprintf("a %T", value)
	}
	return value
}
