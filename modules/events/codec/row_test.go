package codec

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

// decodeRow reads a row as it was received on 2026-01-31 at noon.
func decodeRow(t *testing.T, form RowForm, row string) (Event, Rejection) {
	t.Helper()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).UnixMilli()
	return NewRowDecoder(DefaultLog(), form).Decode([]byte(row), now, func() []byte { return []byte(row) })
}

func TestARowOfAFileIsAnEvent(t *testing.T) {
	form := RowForm{
		Columns: map[string]string{"member": "user", "article": "post", "ts": "occurred_at"},
		Actions: map[string]string{"fav": "like"}, TimeUnit: time.Second,
	}
	e, rejected := decodeRow(t, form,
		`{"user":"a nickname","member":7,"article":"8","author":"9","action":"fav","ts":"1769860800","dwell_ms":"1500"}`)
	require.Empty(t, rejected)
	require.Equal(t, core.ID(7), e.User)
	require.Equal(t, core.ID(8), e.Post)
	require.Equal(t, core.ID(9), e.Author)
	require.Equal(t, core.ActionLike, e.Action)
	require.Equal(t, int64(1769860800000), e.Occurred)
	require.Equal(t, uint32(1500), e.Dwell)

	again, _ := decodeRow(t, form,
		`{"user":"a nickname","member":7,"article":"8","author":"9","action":"fav","ts":"1769860800","dwell_ms":"1500"}`)
	require.Equal(t, e.ID, again.ID, "the same content has the same id")
	require.Equal(t, byte(0x80), e.ID[6]&0xf0, "a UUID of version 8")
}

func TestAnIDOfARowIsItsOwn(t *testing.T) {
	const rest = `,"user":"1","post":"2","author":"3","action":"view","occurred_at":"2026-01-31 11:00:00"}`
	uuid, rejected := decodeRow(t, RowForm{}, `{"event_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f"`+rest)
	require.Empty(t, rejected)
	require.Equal(t, "0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f", string(AppendUUID(nil, uuid.ID)))
	number, _ := decodeRow(t, RowForm{}, `{"event_id":4711`+rest)
	text, _ := decodeRow(t, RowForm{}, `{"event_id":"4711","device":"another"`+rest)
	require.Equal(t, number.ID, text.ID, "an id that is no UUID makes one")
	other, _ := decodeRow(t, RowForm{}, `{"event_id":"4712"`+rest)
	require.NotEqual(t, number.ID, other.ID)
}

func TestRowsAreHeldToWhatTheAPITakes(t *testing.T) {
	const good = `"user":"1","post":"2","author":"3","action":"view","occurred_at":"2026-01-31T11:00:00Z"`
	_, rejected := decodeRow(t, RowForm{}, "{"+good+"}")
	require.Empty(t, rejected)
	for _, at := range []string{"2026-01-31 11:00:00.5", "2026-01-31 12:00:00.5+01", "2026-01-31 12:00:00.500+01:00"} {
		e, rejected := decodeRow(t, RowForm{}, `{"user":"1","post":"2","author":"3","action":"view","occurred_at":"`+at+`"}`)
		require.Empty(t, rejected, at)
		require.Equal(t, int64(1769857200500), e.Occurred, at)
	}
	for row, want := range map[string]string{
		`[1]`:             ":invalid",
		`{` + good:        ":invalid",
		`{` + good + `}x`: ":invalid",
		`{"post":"2","author":"3","action":"view","occurred_at":"2026-01-31T11:00:00Z"}`:             "user:missing",
		`{"user":"x","post":"2","author":"3","action":"view","occurred_at":"2026-01-31T11:00:00Z"}`:  "user:invalid",
		`{"user":"1","author":"3","action":"view","occurred_at":"2026-01-31T11:00:00Z"}`:             "post:missing",
		`{"user":"1","post":"2","author":"3","action":"poke","occurred_at":"2026-01-31T11:00:00Z"}`:  "action:unknown_action",
		`{"user":"1","post":"2","author":"3","action":"view","occurred_at":"2026-01-01T11:00:00Z"}`:  "occurred_at:too_old",
		`{"user":"1","post":"2","author":"3","action":"view","occurred_at":"2026-02-01T11:00:00Z"}`:  "occurred_at:in_future",
		`{"user":"1","post":"2","author":"3","action":"view","occurred_at":"yesterday"}`:             "occurred_at:invalid",
		`{"user":"1","post":"2","author":"3","action":"view","occurred_at":1769860800}`:              "occurred_at:invalid",
		`{"user":"1","post":"2","author":"3","action":"dwell","occurred_at":"2026-01-31T11:00:00Z"}`: "dwell_ms:missing",
		`{` + good + `,"dwell_ms":"-1"}`: "dwell_ms:out_of_range",
	} {
		_, rejected := decodeRow(t, RowForm{}, row)
		require.Equal(t, want, rejected.Field+":"+rejected.Code, row)
		require.NotEmpty(t, rejected.Reason, row)
	}
	_, rejected = decodeRow(t, RowForm{TimeUnit: time.Millisecond},
		`{"user":"1","post":"2","author":"3","action":"view","occurred_at":1769860800}`)
	require.Equal(t, "out_of_range", rejected.Code, "seconds that are taken for milliseconds are of 1970")
}
