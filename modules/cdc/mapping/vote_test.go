package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// likes are those of the plain schema, with a column of what they are worth.
func likes(columns map[string]string, values map[string]int) mapping.Config {
	c := mapping.Default()
	c.Like.Columns, c.Like.Values = columns, values
	return c
}

func TestALikeIsWorthWhatItsRowSays(t *testing.T) {
	score, kind := map[string]string{"value": "score"}, map[string]string{"value": "kind"}
	kinds := map[string]int{"love": 3, "angry": -2, "seen": 0, "true": 1, "false": -1}
	for _, c := range []struct {
		what    string
		columns map[string]string
		values  map[string]int
		row     string
		want    int8
	}{
		{"no column", nil, nil, `"score":-1`, 1},
		{"up", score, nil, `"score":1`, 1},
		{"down", score, nil, `"score":-1`, -1},
		{"a number's sign counts", score, nil, `"score":-70000`, -1},
		{"neither", score, nil, `"score":0`, 0},
		{"taken back", score, nil, `"score":null`, 0},
		{"a number as text", score, nil, `"score":"-1"`, -1},
		{"a kind", kind, kinds, `"kind":"love"`, 3},
		{"a kind against", kind, kinds, `"kind":"angry"`, -2},
		{"a kind that says nothing", kind, kinds, `"kind":"seen"`, 0},
		{"one that is not named", kind, kinds, `"kind":"new"`, 1},
		{"none", kind, kinds, `"kind":null`, 0},
		{"a flag", kind, kinds, `"kind":false`, -1},
	} {
		m, err := mapping.New(likes(c.columns, c.values), "")
		require.NoError(t, err)
		got, err := m.Of(mapping.Like).Alive(row(t, `{"user_id":1,"post_id":2}`),
			row(t, `{"user_id":1,"post_id":2,"created_at":"2026-01-01T00:00:00Z",`+c.row+`}`))
		require.NoError(t, err, c.what)
		require.Equal(t, c.want, got.Value, c.what)
	}
	m, err := mapping.New(likes(score, nil), "")
	require.NoError(t, err)
	require.Contains(t, m.Of(mapping.Like).NeededColumns(), "score")
	require.Len(t, m.Of(mapping.Like).Refers(), 2, "what it is worth is no key")
	for text, reason := range map[string]string{
		`"score":"up"`: envelope.ReasonValue, `"other":1`: envelope.ReasonColumn,
		`"score":"` + envelope.Unavailable + `"`: envelope.ReasonUnavailable,
	} {
		_, err := m.Of(mapping.Like).Alive(row(t, `{"user_id":1,"post_id":2}`),
			row(t, `{"user_id":1,"post_id":2,"created_at":"2026-01-01T00:00:00Z",`+text+`}`))
		require.Equal(t, reason, envelope.ReasonOf(err), text)
	}
}

func TestOnlyLikesHaveValuesAndThoseAreBounded(t *testing.T) {
	c := likes(nil, map[string]int{"love": 11})
	c.Comment.Values = map[string]int{"long": 2}
	c.Like.Constants = map[string]string{"value": "12"}
	wrong := c.Check()
	require.Contains(t, wrong["like.values"], "columns.value")
	require.Contains(t, wrong["like.values.love"], "-10 to 10")
	require.Contains(t, wrong["like.constants.value"], "-10 to 10")
	require.Contains(t, wrong["comment.values"], "only likes")
	require.EqualValues(t, 1, mapping.Default().Heaviest())
	require.EqualValues(t, 7, likes(nil, map[string]int{"love": 7, "angry": -9}).Heaviest())
}
