package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

func row(t require.TestingT, text string) envelope.Row {
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(text), &fields))
	return envelope.NewRow(fields)
}

func TestTheDefaultMappingIsValidAndKnowsItsTopics(t *testing.T) {
	m, err := mapping.New(mapping.Default(), "pre.cdc")
	require.NoError(t, err)
	require.Equal(t, "pre.cdc.public.posts", m.Topic("public.posts"))
	require.Len(t, m.Topics(), 7)
	require.Equal(t, "public.likes", m.TableOf("pre.cdc.public.likes"))
	for _, foreign := range []string{"cdc.public.likes", "pre.cdc.public.other", "pre.cdc.transaction", ""} {
		require.Empty(t, m.TableOf(foreign))
	}
}

func TestAPostIsHiddenByItsStatusOrASoftDelete(t *testing.T) {
	m, err := mapping.New(mapping.Default(), "cdc")
	require.NoError(t, err)
	posts := m.Of(mapping.Post)
	for text, hidden := range map[string]bool{
		`{"id":1,"author_id":2,"body":"x","status":"published","created_at":"2026-01-01T00:00:00Z","deleted_at":null,"added":1}`:         false,
		`{"id":1,"author_id":2,"body":"x","status":"draft","created_at":"2026-01-01T00:00:00Z","deleted_at":null}`:                       true,
		`{"id":1,"author_id":2,"body":"x","status":null,"created_at":"2026-01-01T00:00:00Z","deleted_at":null}`:                          true,
		`{"id":1,"author_id":2,"body":"x","status":"published","created_at":"2026-01-01T00:00:00Z","deleted_at":"2026-01-02T00:00:00Z"}`: true,
	} {
		got, err := posts.Alive(row(t, `{"id":1}`), row(t, text))
		require.NoError(t, err)
		require.Equal(t, mapping.Row{
			Key: "1", ID: 1, First: 2, CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Hidden: hidden,
		}, got, text)
	}
}

func TestAUserIsHiddenOrGoneByTheirState(t *testing.T) {
	c := mapping.Default()
	c.User.GoneWhen = []mapping.Condition{{Column: "state", In: []string{"deleted"}}}
	c.User.HiddenWhen = []mapping.Condition{{Column: "suspended_at", Is: "set"}}
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	users := m.Of(mapping.User)
	require.Equal(t, []string{"created_at", "id", "state", "suspended_at"}, users.NeededColumns())
	require.Equal(t, "suspended_at", users.ColumnKeys()["hidden_when[0].column"])
	require.True(t, users.MayReturn())
	for text, want := range map[string]struct {
		hidden, gone bool
		kind         core.ChangeKind
	}{
		`{"id":1,"state":"active","suspended_at":null,"created_at":"2026-01-01T00:00:00Z"}`:                    {kind: core.UserBack},
		`{"id":1,"state":"active","suspended_at":"2026-01-02T00:00:00Z","created_at":"2026-01-01T00:00:00Z"}`:  {hidden: true, kind: core.UserGone},
		`{"id":1,"state":"deleted","suspended_at":null,"created_at":"2026-01-01T00:00:00Z"}`:                   {gone: true, kind: core.UserGone},
		`{"id":1,"state":"deleted","suspended_at":"2026-01-02T00:00:00Z","created_at":"2026-01-01T00:00:00Z"}`: {gone: true, hidden: true, kind: core.UserGone},
	} {
		got, err := users.Alive(row(t, `{"id":1}`), row(t, text))
		require.NoError(t, err)
		require.Equal(t, want.hidden, got.Hidden, text)
		require.Equal(t, want.gone, got.Gone, text)
		require.Equal(t, core.Change{Kind: want.kind, Viewer: 1}, mapping.UserChange(got, time.Time{}), text)
	}
	_, err = users.Alive(row(t, `{"id":1}`), row(t, `{"id":1,"state":"active","created_at":"2026-01-01T00:00:00Z"}`))
	require.Equal(t, envelope.ReasonColumn, envelope.ReasonOf(err), "a column of a condition that is not there")
}

func TestADeleteTellsNoMoreThanItsKey(t *testing.T) {
	m, err := mapping.New(mapping.Default(), "cdc")
	require.NoError(t, err)
	got, err := m.Of(mapping.Post).Row(envelope.Record{
		Op: envelope.Delete, Key: row(t, `{"id":9}`),
		Before: row(t, `{"id":9,"author_id":0,"created_at":"1970-01-01T00:00:00Z"}`),
	})
	require.NoError(t, err)
	require.Equal(t, mapping.Row{Key: "9", ID: 9, Gone: true}, got)
}

func TestARowThatDoesNotFitSaysWhy(t *testing.T) {
	m, err := mapping.New(mapping.Default(), "cdc")
	require.NoError(t, err)
	for text, reason := range map[string]string{
		`{"id":1,"author_id":"x","status":"published","created_at":null,"deleted_at":null,"body":""}`:                              envelope.ReasonValue,
		`{"id":1,"status":"published","created_at":null,"deleted_at":null,"body":""}`:                                              envelope.ReasonColumn,
		`{"id":1,"author_id":2,"status":"__debezium_unavailable_value","created_at":null,"deleted_at":null,"body":""}`:             envelope.ReasonUnavailable,
		`{"id":1,"author_id":2,"status":"published","created_at":"never","deleted_at":null,"body":""}`:                             envelope.ReasonValue,
		`{"id":1,"author_id":99999999999999999999,"status":"published","created_at":"2026-01-01","deleted_at":null,"body":"dear"}`: envelope.ReasonValue,
	} {
		_, err := m.Of(mapping.Post).Alive(row(t, `{"id":1}`), row(t, text))
		require.Equal(t, reason, envelope.ReasonOf(err), "%s: %v", text, err)
	}
	for _, key := range []string{`{"id":0}`, `{"id":"a"}`, `{"uid":1}`, `{"id":null}`} {
		_, err := m.Of(mapping.Post).Deleted(row(t, key))
		require.Error(t, err, key)
	}
	system, err := m.Of(mapping.Post).Deleted(row(t, `{"id":-99}`))
	require.NoError(t, err)
	require.Equal(t, mapping.Row{Key: "-99", ID: -99, Gone: true}, system, "as any other")
}

func TestOneTableMayServeSeveralKinds(t *testing.T) {
	relations := func(kind, first, other string) mapping.Table {
		return mapping.Table{
			Table: "app.relations", Columns: map[string]string{first: "from_id", other: "to_id"},
			Constants: map[string]string{"created_at": "2020-01-01T00:00:00Z"},
			OnlyWhen:  []mapping.Condition{{Column: "type", In: []string{kind}}},
			GoneWhen:  []mapping.Condition{{Column: "revoked", Is: "true"}},
		}
	}
	c := mapping.Default()
	c.Follow, c.Block, c.Mute = relations("follow", "follower_id", "followee_id"),
		relations("block", "blocker_id", "blocked_id"), relations("mute", "muter_id", "muted_id")
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	require.Len(t, m.Sources("app.relations"), 3)
	for _, s := range m.Sources("app.relations") {
		got, err := s.Alive(row(t, `{"id":5}`), row(t, `{"id":5,"from_id":1,"to_id":2,"type":"block","revoked":false}`))
		require.NoError(t, err)
		require.Equal(t, s.Kind != mapping.Block, got.Gone, s.Kind.String())
		if s.Kind == mapping.Block {
			require.Equal(t, mapping.Row{
				Key: "5", First: 1, Other: 2,
				CreatedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
			}, got)
			got, err = s.Alive(row(t, `{"id":5}`), row(t,
				`{"id":5,"from_id":1,"to_id":2,"type":"block","revoked":true}`))
			require.NoError(t, err)
			require.True(t, got.Gone)
		}
	}
}

func TestEveryMistakeInTheMappingIsReportedWithItsKey(t *testing.T) {
	c := mapping.Default()
	c.Post.Table = "posts"
	c.Post.Columns = map[string]string{"id": "id", "autor_id": "author_id", "author_id": "", "created_at": "created_at"}
	c.Follow.HiddenWhen = []mapping.Condition{{Column: "x", Is: "set"}}
	c.Like.Constants = map[string]string{"created_at": "2020-01-01T00:00:00Z"}
	c.Block.Constants = map[string]string{"blocker_id": "zero"}
	c.Block.Columns = map[string]string{"blocked_id": "b", "created_at": "c"}
	c.Mute.OnlyWhen = []mapping.Condition{{Column: "", In: []string{"a"}}, {Column: "a"}, {Column: "a", Is: "maybe"}}
	c.Comment.TimeUnit = "weeks"
	_, err := mapping.New(c, "")
	require.Error(t, err)
	for _, want := range []string{
		`cdc.tables.post.table: "posts", want schema.table`, "cdc.tables.post.columns.autor_id: no such field",
		"cdc.tables.post.columns.author_id: is empty",
		"cdc.tables.follow.hidden_when", "cdc.tables.like.constants.created_at: is also in columns",
		"cdc.tables.block.constants.blocker_id",
		"cdc.tables.mute.only_when[0]: column is empty", "cdc.tables.mute.only_when[1]: want exactly one",
		"cdc.tables.mute.only_when[2]: is:", "cdc.tables.comment.time_unit",
	} {
		require.Contains(t, err.Error(), want)
	}
	c = mapping.Default()
	c.Post.Table = ""
	require.Contains(t, c.Check(), "post.table")
	c = mapping.Default()
	c.User, c.Mute = mapping.Table{}, mapping.Table{}
	require.Empty(t, c.Check(), "what an app does not have is left out")
}

func TestTwoKeysNeverMeetInTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := func(label string) (map[string]string, string) {
			parts := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b"}), rapid.StringN(0, 6, -1), 2, 2).Draw(t, label)
			fields := map[string]json.RawMessage{}
			for name, value := range parts {
				text, err := json.Marshal(value)
				require.NoError(t, err)
				fields[name] = text
			}
			text, err := mapping.RowKey(envelope.NewRow(fields))
			require.NoError(t, err)
			require.Empty(t, strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.%:"))
			return parts, text
		}
		a, x := key("one")
		b, y := key("other")
		require.Equal(t, a["a"] == b["a"] && a["b"] == b["b"], x == y)
	})
	text := func(a, b string) string {
		joined, err := mapping.RowKey(envelope.NewRow(map[string]json.RawMessage{
			"a": json.RawMessage(a),
			"b": json.RawMessage(b),
		}))
		require.NoError(t, err)
		return joined
	}
	require.Equal(t, "x%3Ay:z", text(`"x:y"`, `"z"`))
	require.Equal(t, "x:y%3Az", text(`"x"`, `"y:z"`))
	require.Equal(t, "%25:%C3%A9", text(`"%"`, `"é"`))
}
