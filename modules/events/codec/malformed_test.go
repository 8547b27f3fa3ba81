package codec

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/feedrank/feedrank/modules/core"
)

func TestBadJSONIsToldByItsKindAndItsPlace(t *testing.T) {
	for body, want := range map[string]string{
		"": "is empty", " \n\t": "is empty", "null": "is null, not an object", "[{}]": "is a list",
		`"x"`: "is a string", "7": "is a number", "true": "is true or false",
		"\xef\xbb\xbf{}":                    "byte order mark",
		`{"events": [{}],}`:                 "a comma before the end of a list or an object, at line 1, column 17",
		"{\"events\": [\n  {\"a\": 1},\n]}": "a comma before the end of a list or an object, at line 3, column 1",
		`{"events": [{"a": 1,}]}`:           "a comma before",
		`{"events": [`:                      "it ends too early, at line 1, column 13",
		`{"events": [{"a": "x`:              "it ends too early",
		`{"events": [}`:                     `unexpected '}', at line 1, column 13`,
		`{'events': []}`:                    `unexpected '\'', at line 1, column 2`,
		`{"events": [{"a": NaN}]}`:          `unexpected 'N', at line 1, column 19`,
		`{"events": []} {}`:                 "something behind its end, at line 1, column 16",
		"[1":                                "it ends too early",
		"{\"events\": [\"\xff\"]}":          "not UTF-8",
		"{\"events\": [\"a\nb\"]}":          "control character",
		`{"events": ["\x"]}`:                "an escape",
		`{"events": ` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`: "nested too deeply",
	} {
		_, _, err := DecodeRequest([]byte(body), 0, acceptance{})
		require.Equal(t, core.CodeMalformedJSON, core.CodeOf(err), body)
		require.ErrorContains(t, err, want, body)
	}
}

// decoded is one event, received at noon.
func decoded(t *testing.T, members string) (Event, Rejection) {
	t.Helper()
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	events, rejected, err := DecodeRequest([]byte(`{"events":[{"event_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f",`+members+`}]}`), noon,
		acceptance{age: 24 * time.Hour, future: 24 * time.Hour})
	require.NoError(t, err)
	if len(rejected) > 0 {
		return Event{}, rejected[0]
	}
	return events[0], Rejection{}
}

func TestPostAndAuthorGoByTheNamesOfItemsAndByThoseOfRecords(t *testing.T) {
	const rest = `,"action":"like","occurred_at":"2026-05-01T12:00:00Z"`
	for members, field := range map[string]string{ // empty: it is taken
		`"post":"7","author":"8"`: "", `"post_id":"7","author_id":"8"`: "", `"post":"7","author_id":8`: "",
		`"post":7,"post_id":"7","author":"8"`:    "",
		`"post":"7","post_id":null,"author":"8"`: "", `"post_id":"7","post":"6","author":"8"`: "post",
		`"author":"8","author_id":"9","post":"7"`: "author_id",
		`"author":"8"`: "post", `"post_id":"7"`: "author", `"post":null,"author":"8"`: "post",
		`"post":"x","author":"8"`: "post", `"post_id":0,"author":"8"`: "post_id",
	} {
		e, rejected := decoded(t, members+rest)
		require.Equal(t, field, rejected.Field, "%s: %v", members, rejected)
		if field == "" {
			require.Equal(t, []core.ID{7, 8}, []core.ID{e.Post, e.Author}, members)
		}
	}
}

func TestTimesAndDwellsAreTakenInEveryFormThatTheirStandardsHave(t *testing.T) {
	const rest = `"post":"7","author":"8","action":"dwell"`
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-05-01T12:00:00Z": noon, "2026-05-01t12:00:00z": noon, "2026-05-01T12:00:00+00:00": noon,
		"2026-05-01T12:00:00-00:00": noon,
		"2026-05-01T14:00:00+02:00": noon, "2026-05-01T12:00:00.123456789Z": noon.Add(123 * time.Millisecond),
		"2026-05-01T11:59:60Z": noon, "2026-05-01T11:59:60.5z": noon, "2026-05-01t17:29:60+05:30": noon,
		"2026-05-01 12:00:00Z": {}, "2026-05-01T12:00:00": {}, "2026-05-01T11:58:60Z": {}, "2026-05-01T12:00:61Z": {},
		"2026-05-01T24:00:00Z": {},
		"2026-05-01":           {}, "noon": {}, "": {},
	} {
		e, rejected := decoded(t, rest+`,"dwell_ms":1,"occurred_at":"`+text+`"`)
		if want.IsZero() {
			require.Equal(t, "occurred_at", rejected.Field, text)
			continue
		}
		require.Empty(t, rejected, text)
		require.Equal(t, want.UnixMilli(), e.Occurred, text)
	}
	for text, want := range map[string]uint32{
		"1500": 1500, "1500.0": 1500, "1.5e3": 1500, "15E+2": 1500, "86400000.0": 86400000, "1500.5": 0, "-1.0": 0,
		"1e9": 0, "86400001.0": 0, `"1500"`: 0, "1e999": 0,
	} {
		e, rejected := decoded(t, rest+`,"occurred_at":"2026-05-01T12:00:00Z","dwell_ms":`+text)
		require.Equal(t, want, e.Dwell, text)
		require.Equal(t, want == 0, rejected.Field == "dwell_ms", text)
	}
}

// The document of the API must not promise what the code refuses, nor the other way round.
func TestTheDocumentHasTheLimitsOfTheCode(t *testing.T) {
	text, err := os.ReadFile("../../openapi/openapi.yaml")
	require.NoError(t, err)
	type schema struct {
		MaxItems   int `yaml:"maxItems"`
		MaxLength  int `yaml:"maxLength"`
		Maximum    int
		Enum       []string
		Properties map[string]schema
	}
	var document struct {
		Components struct{ Schemas map[string]schema }
	}
	require.NoError(t, yaml.Unmarshal(text, &document))
	schemas := document.Components.Schemas
	event := schemas["Event"].Properties
	require.Equal(t, maxEvents, schemas["Batch"].Properties["events"].MaxItems)
	require.Equal(t, maxEvents, schemas["Accepted"].Properties["accepted"].Maximum)
	require.Equal(t, maxDevice, event["device"].MaxLength)
	require.Equal(t, maxAppVersion, event["app_version"].MaxLength)
	require.Equal(t, maxSession, event["feed_session"].MaxLength)
	require.Equal(t, maxDwellMillis, event["dwell_ms"].Maximum)
	var actions []string
	for _, a := range core.Actions() {
		actions = append(actions, a.String())
	}
	require.ElementsMatch(t, actions, event["action"].Enum)
	for _, name := range []string{"post", "author"} {
		require.Contains(t, event, name)
	}
	require.ElementsMatch(t, []string{
		rejectMissing, rejectInvalid, rejectTooLong, rejectOutOfRange, rejectUnknownAction, rejectTooOld,
		rejectInFuture, "too_many",
	}, schemas["RejectionCode"].Enum)
}
