package envelope_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

const bare = `{"before":null,"after":{"id":7,"author_id":3,"body":"hi","created_at":"2026-11-01T10:00:00.123456Z","rated":1793527200000000,"day":20758,"amount":"12"},
"source":{"version":"3.7.0.Final","connector":"postgresql","name":"cdc","ts_ms":1793527200123,"snapshot":"false","db":"app","sequence":"[\"26747000\",\"26747216\"]",
"ts_us":1793527200123456,"ts_ns":1793527200123456000,"schema":"public","table":"posts","txId":771,"lsn":26747216,"xmin":null},
"transaction":null,"op":"c","ts_ms":1793527200200}`

func TestABareEnvelopeIsRead(t *testing.T) {
	r, err := envelope.Decode([]byte(`{"id":7}`), []byte(bare))
	require.NoError(t, err)
	require.Equal(t, envelope.Create, r.Op)
	require.Equal(t, []string{"id"}, r.Key.Columns())
	require.True(t, r.Before.Empty())
	id, err := r.After.Int("id")
	require.NoError(t, err)
	require.EqualValues(t, 7, id)
	require.Equal(t, envelope.Source{
		Schema: "public", Table: "posts", LSN: 26747216, TxID: 771, CommittedAt: time.UnixMicro(1793527200123456).UTC(),
		StreamPosition: envelope.StreamPosition{Known: true, LastCommit: 26747000, LSN: 26747216},
	}, r.Source)
	require.Equal(t, time.UnixMilli(1793527200200).UTC(), r.At)
}

func TestAnEnvelopeWithItsSchemaIsReadAlike(t *testing.T) {
	wrapped := `{"schema":{"type":"struct","fields":[
	  {"field":"before","type":"struct","fields":[]},
	  {"field":"after","type":"struct","fields":[{"field":"rated","type":"int64","name":"io.debezium.time.Timestamp"},
	    {"field":"amount","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"0"}}]}]},
	  "payload":{"before":null,"after":{"id":7,"rated":1793527200000,"amount":"AeJA"},"source":{"schema":"public","table":"posts","lsn":1,"snapshot":true},"op":"r","ts_ms":1}}`
	r, err := envelope.Decode([]byte(`{"schema":{"type":"struct"},"payload":{"id":7}}`), []byte(wrapped))
	require.NoError(t, err)
	require.Equal(t, []string{"id"}, r.Key.Columns())
	require.Equal(t, envelope.Initial, r.Source.Snapshot)
	at, err := r.After.Time("rated", envelope.Micros)
	require.NoError(t, err)
	require.Equal(t, time.UnixMilli(1793527200000).UTC(), at, "the schema says milliseconds")
	n, err := r.After.Int("amount")
	require.NoError(t, err)
	require.EqualValues(t, 123456, n, "base64 of a decimal")
}

func TestAKeyWhoseColumnsAreCalledSchemaAndPayloadIsAKey(t *testing.T) {
	key, err := envelope.DecodeKey([]byte(`{"schema":1,"payload":2}`))
	require.NoError(t, err)
	require.Equal(t, []string{"payload", "schema"}, key.Columns())
}

func TestATombstoneIsAKeyWithoutAValue(t *testing.T) {
	for _, value := range []string{"", `{"schema":null,"payload":null}`} {
		r, err := envelope.Decode([]byte(`{"id":7}`), []byte(value))
		require.NoError(t, err)
		require.True(t, r.Tombstone, "%q", value)
	}
}

func TestSnapshotMarkersOfEveryKindAreKnown(t *testing.T) {
	for marker, want := range map[string]envelope.Snapshot{
		`true`: envelope.Initial, `"true"`: envelope.Initial, `"first"`: envelope.Initial,
		`"first_in_data_collection"`: envelope.Initial,
		`"last_in_data_collection"`:  envelope.Initial, `"last"`: envelope.Initial,
		`"incremental"`: envelope.Incremental,
		`false`:         envelope.Streaming, `"false"`: envelope.Streaming, `null`: envelope.Streaming,
	} {
		value := `{"op":"r","after":{"id":1},"source":{"snapshot":` + marker + `,"sequence":"[null,\"5\"]"}}`
		r, err := envelope.Decode([]byte(`{"id":1}`), []byte(value))
		require.NoError(t, err)
		require.Equal(t, want, r.Source.Snapshot, marker)
		require.False(t, r.Source.StreamPosition.Known, "the first commit was not seen yet")
	}
}

func TestEveryOperationIsHeldToWhatItMustBring(t *testing.T) {
	source := `"source":{"schema":"public","table":"posts"}`
	for name, c := range map[string]struct{ key, value, reason string }{
		"no JSON":             {`{"id":1}`, `{`, envelope.ReasonMalformed},
		"a key that is none":  {`{`, `{}`, envelope.ReasonMalformed},
		"another shape":       {`{"id":1}`, `{"op":{}}`, envelope.ReasonNotEnvelope},
		"a list":              {`{"id":1}`, `[]`, envelope.ReasonNotEnvelope},
		"unwrapped":           {`{"id":1}`, `{"id":1,"body":"x"}`, envelope.ReasonNotEnvelope},
		"no source":           {`{"id":1}`, `{"op":"c","after":{"id":1}}`, envelope.ReasonNotEnvelope},
		"unknown op":          {`{"id":1}`, `{"op":"x",` + source + `}`, envelope.ReasonUnknownOp},
		"create without row":  {`{"id":1}`, `{"op":"c","after":null,` + source + `}`, envelope.ReasonNoRow},
		"update without key":  {``, `{"op":"u","after":{"id":1},` + source + `}`, envelope.ReasonNoKey},
		"delete without key":  {``, `{"op":"d",` + source + `}`, envelope.ReasonNoKey},
		"tombstone of no key": {``, ``, envelope.ReasonNoKey},
	} {
		_, err := envelope.Decode([]byte(c.key), []byte(c.value))
		require.Error(t, err, name)
		require.Equal(t, c.reason, envelope.ReasonOf(err), "%s: %v", name, err)
	}
	for _, value := range []string{`{"op":"t",` + source + `}`, `{"op":"m",` + source + `}`} {
		_, err := envelope.Decode(nil, []byte(value))
		require.NoError(t, err, value)
	}
}

func TestTimesOfEveryFormAreRead(t *testing.T) {
	for raw, want := range map[string]time.Time{
		`1793527200123456`:              time.UnixMicro(1793527200123456),
		`"2026-11-01T10:00:00.123456Z"`: time.Date(2026, 11, 1, 10, 0, 0, 123456000, time.UTC),
		`"2026-11-01T12:00:00+02:00"`:   time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC),
		`"2026-11-01 10:00:00.5"`:       time.Date(2026, 11, 1, 10, 0, 0, 500000000, time.UTC),
		`"2026-11-01"`:                  time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		`"infinity"`:                    envelope.MaxTime,
		`"-infinity"`:                   envelope.MinTime,
		`"294276-12-31T23:59:59Z"`:      envelope.MaxTime,
		`"+294276-12-31T23:59:59.999Z"`: envelope.MaxTime,
		`"-4712-01-01T00:00:00Z"`:       envelope.MinTime,
		`"0044-03-15T00:00:00 BC"`:      envelope.MinTime,
		`-9223372036854775808`:          envelope.MinTime,
		`9223372036854775807`:           envelope.MaxTime,
		`null`:                          {},
	} {
		got, err := envelope.NewRow(map[string]json.RawMessage{"t": json.RawMessage(raw)}).Time("t", envelope.Micros)
		require.NoError(t, err, raw)
		require.True(t, want.Equal(got), "%s: %s, want %s", raw, got, want)
	}
	for _, raw := range []string{`"soon"`, `true`, `"2026-13-01"`, `{}`, `"99-99"`} {
		_, err := envelope.NewRow(map[string]json.RawMessage{"t": json.RawMessage(raw)}).Time("t", envelope.Micros)
		require.Equal(t, envelope.ReasonValue, envelope.ReasonOf(err), raw)
	}
}

func TestALargeValueThatWasNotLoggedIsRecognised(t *testing.T) {
	row := envelope.NewRow(map[string]json.RawMessage{
		"text": json.RawMessage(`"__debezium_unavailable_value"`),
		"list": json.RawMessage(`["__debezium_unavailable_value"]`), "fine": json.RawMessage(`"x"`),
	})
	require.True(t, row.IsUnavailable("text"))
	require.True(t, row.IsUnavailable("list"))
	require.False(t, row.IsUnavailable("fine"))
	require.False(t, row.IsUnavailable("missing"))
}

func FuzzDecodeNeverPanicsAndKnowsItsReason(f *testing.F) {
	f.Add([]byte(`{"id":7}`), []byte(bare))
	f.Add([]byte(`{"schema":{},"payload":{"id":7}}`),
		[]byte(`{"schema":{"fields":[{"field":"after","fields":[{"field":"t","name":"io.debezium.time.Date"}]}]},"payload":{"op":"u","after":{"t":1},"source":{}}}`))
	f.Add([]byte(``), []byte(`{"op":"t","source":{"sequence":"[\"1\",\"2\"]"}}`))
	f.Add([]byte(`null`), []byte(``))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r, err := envelope.Decode(key, value)
		if err != nil {
			require.NotEqual(t, "unknown", envelope.ReasonOf(err))
			return
		}
		for _, row := range []envelope.Row{r.Key, r.Before, r.After} {
			for _, c := range row.Columns() {
				_, _ = row.Int(c)
				_, _ = row.Bool(c)
				if at, err := row.Time(c, envelope.Days); err == nil && !at.IsZero() {
					require.False(t, at.Before(envelope.MinTime) || at.After(envelope.MaxTime))
				}
				_, err := row.Text(c)
				require.NoError(t, err)
			}
		}
	})
}

func TestATimeWithoutAZoneIsOfTheZoneThatIsNamed(t *testing.T) {
	zone := func(name string) *time.Location {
		l, err := time.LoadLocation(name)
		require.NoError(t, err)
		return l
	}
	berlin, tokyo, los := zone("Europe/Berlin"), zone("Asia/Tokyo"), zone("America/Los_Angeles")
	at := func(text string, in *time.Location) string {
		row := envelope.NewRow(map[string]json.RawMessage{"t": json.RawMessage(text)})
		got, err := row.TimeIn("t", envelope.Millis, in)
		require.NoError(t, err)
		return got.Format(time.RFC3339)
	}
	noon := fmt.Sprint(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC).UnixMilli())
	require.Equal(t, "2026-11-28T03:00:00Z", at(noon, tokyo))
	require.Equal(t, "2026-11-28T20:00:00Z", at(noon, los))
	require.Equal(t, "2026-11-28T12:00:00Z", at(noon, nil))
	require.Equal(t, "2026-11-28T03:00:00Z", at(`"2026-11-28 12:00:00"`, tokyo))
	for _, absolute := range []string{
		`"2026-11-28T12:00:00Z"`, `"2026-11-28 12:00:00+00"`,
		`"2026-11-28T13:00:00+01:00"`, `"2026-11-28T11:00:00-01:00"`,
	} {
		require.Equal(t, "2026-11-28T12:00:00Z", at(absolute, tokyo), absolute)
	}
	// As PostgreSQL 18 answers to `timestamp '…' AT TIME ZONE 'Europe/Berlin'`.
	for local, instant := range map[string]string{
		`"2026-03-29 01:59:59"`: "2026-03-29T00:59:59Z", `"2026-03-29 02:30:00"`: "2026-03-29T01:30:00Z",
		`"2026-03-29 03:00:00"`: "2026-03-29T01:00:00Z",
		`"2026-10-25 01:59:59"`: "2026-10-24T23:59:59Z", `"2026-10-25 02:30:00"`: "2026-10-25T01:30:00Z",
		`"2026-10-25 03:00:00"`: "2026-10-25T02:00:00Z",
	} {
		require.Equal(t, instant, at(local, berlin), local)
	}
	require.Equal(t, envelope.MaxTime.Format(time.RFC3339), at(`"infinity"`, tokyo))
}

func TestTheSourceSaysWhatTimesCount(t *testing.T) {
	const value = `{"op":"c","after":{"id":1,"at":1793527200000,"day":20758,"n":1793527200},"source":{"ts_ms":1,"times":{"at":"ms","day":"days"}}}`
	record, err := envelope.Decode([]byte(`{"id":1}`), []byte(value))
	require.NoError(t, err)
	for column, unit := range map[string]envelope.Unit{"at": envelope.Micros, "day": "", "n": envelope.Seconds} {
		got, err := record.After.Time(column, unit)
		require.NoError(t, err)
		require.Equal(t, 2026, got.Year(), column)
	}
}
