package envelope_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

func TestNumbersCountWhatTheirSchemaOrTheSettingSays(t *testing.T) {
	at := time.Date(2026, 11, 1, 10, 0, 0, 123000000, time.UTC)
	for _, c := range []struct {
		unit   envelope.Unit
		number int64
		want   time.Time
	}{
		{envelope.Micros, at.UnixMicro(), at},
		{envelope.Millis, at.UnixMilli(), at},
		{envelope.Days, at.Unix() / 86400, at.Truncate(24 * time.Hour)},
		{envelope.Millis, 0, time.Unix(0, 0)},
		{envelope.Days, -1, time.Unix(-86400, 0)},
	} {
		text, err := json.Marshal(c.number)
		require.NoError(t, err)
		got, err := envelope.NewRow(map[string]json.RawMessage{"t": text}).Time("t", c.unit)
		require.NoError(t, err)
		require.True(t, c.want.Equal(got), "%d %s: %s, want %s", c.number, c.unit, got, c.want)
	}
	for name, number := range map[string]int64{
		"io.debezium.time.MicroTimestamp": at.UnixMicro(), "io.debezium.time.Timestamp": at.UnixMilli(),
		"org.apache.kafka.connect.data.Timestamp": at.UnixMilli(), "io.debezium.time.NanoTimestamp": at.UnixNano(),
	} {
		value, err := json.Marshal(map[string]any{
			"schema": map[string]any{"fields": []any{map[string]any{
				"field":  "after",
				"fields": []any{map[string]any{"field": "t", "name": name}},
			}}},
			"payload": map[string]any{"op": "c", "after": map[string]any{"t": number}, "source": map[string]any{}},
		})
		require.NoError(t, err)
		record, err := envelope.Decode([]byte(`{"id":1}`), value)
		require.NoError(t, err)
		got, err := record.After.Time("t", envelope.Days) // what the schema says outweighs the setting
		require.NoError(t, err)
		require.True(t, at.Equal(got), "%s: %s", name, got)
	}
}
