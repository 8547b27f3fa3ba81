package envelope_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

func TestRecordsOfAnotherConverterNameTheSetting(t *testing.T) {
	avro := "\x00\x00\x00\x00\x07\x0e"
	for name, c := range map[string]struct{ key, value, says string }{
		"json":           {`{"id":7}`, `{"op":"d"}`, ""},
		"no key":         {``, `{"op":"t"}`, ""},
		"a tombstone":    {`{"id":7}`, ``, ""},
		"a null key":     {`null`, `{}`, ""},
		"text of an id":  {`Struct{id=7}`, `{}`, ""},
		"text of two":    {`Struct{user_id=-7,post_id=0}`, `{}`, ""},
		"text of a UUID": {`Struct{id=018f0000-0000-7000-8000-000000000001}`, `{}`, ""},
		"text of a text": {
			`Struct{slug=a,b=c}`, `{}`,
			"the key is text of a StringConverter that cannot be told apart; set key.converter=",
		},
		"text without an end": {`Struct{id=7`, `{}`, "the key is text of a StringConverter"},
		"a number":            {`7`, `{}`, `the key is no JSON object but "7"; set key.converter=`},
		"a long":              {"\x00\x00\x00\x00\x00\x00\x00\x07", `{}`, "set key.converter="},
		"avro": {
			avro, `{}`,
			"the key is of a schema registry (Avro, Protobuf or JSON Schema); set key.converter=",
		},
		"an avro value": {
			`{"id":7}`, avro,
			"the value is of a schema registry (Avro, Protobuf or JSON Schema); set value.converter=org.apache.kafka.connect.json.JsonConverter in the connector",
		},
		"a text value":       {`{"id":7}`, `Struct{after=Struct{id=7}}`, "the value is text of a StringConverter"},
		"one that is broken": {`{"id":`, `{`, ""},
		"one odd value":      {`{"id":7}`, `[]`, ""},
	} {
		err := envelope.Foreign([]byte(c.key), []byte(c.value))
		if c.says == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.says, name)
		require.Equal(t, envelope.ReasonForeign, envelope.ReasonOf(err), name)
	}
}

func TestKeysOfAStringConverterAreReadAndWritten(t *testing.T) {
	for text, object := range map[string]string{
		`Struct{id=7}`: `{"id":7}`, `Struct{user_id=-7,post_id=0}`: `{"user_id":-7,"post_id":0}`,
		`Struct{id=018f0000-0000-7000-8000-000000000001}`: `{"id":"018f0000-0000-7000-8000-000000000001"}`,
	} {
		read, err := envelope.DecodeKey([]byte(text))
		require.NoError(t, err)
		want, err := envelope.DecodeKey([]byte(object))
		require.NoError(t, err)
		require.Equal(t, want, read)
		written, ok := envelope.StructKey([]byte(text), []byte(object))
		require.True(t, ok)
		require.Equal(t, text, string(written))
	}
	_, ok := envelope.StructKey([]byte(`{"id":7}`), []byte(`{"id":7}`))
	require.False(t, ok)
}
