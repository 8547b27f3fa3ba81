package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

// TestRulesGiveAPostLabels gives rules one after the other, and rows.
func TestRulesGiveAPostLabels(t *testing.T) {
	nsfw := []mapping.Condition{{Column: "nsfw", Is: "true"}}
	language := mapping.LabelRule{Column: "language", Prefix: "lang:"}
	tags := mapping.LabelRule{Column: "tags", Prefix: "tag:"}
	for name, c := range map[string]struct {
		rules   []mapping.LabelRule
		row     string
		want    []string
		leftOut int
	}{
		"a column":              {[]mapping.LabelRule{language}, `{"language": "de"}`, []string{"lang:de"}, 0},
		"a number":              {[]mapping.LabelRule{language}, `{"language": 37}`, []string{"lang:37"}, 0},
		"no language is known":  {[]mapping.LabelRule{language}, `{"language": null}`, []string{"lang:und"}, 0},
		"an empty one likewise": {[]mapping.LabelRule{language}, `{"language": " "}`, []string{"lang:und"}, 0},
		"an array": {
			[]mapping.LabelRule{tags}, `{"tags": ["go", null, "rust", "go"]}`, []string{"tag:go", "tag:rust"}, 0,
		},
		"no tags": {[]mapping.LabelRule{tags}, `{"tags": []}`, nil, 0},
		"a text of several": {
			[]mapping.LabelRule{{Column: "tags", Split: ","}}, `{"tags": "go, rust,,42"}`, []string{"go", "rust", "42"}, 0,
		},
		"a condition":      {[]mapping.LabelRule{{Label: "sensitive", When: nsfw}}, `{"nsfw": true}`, []string{"sensitive"}, 0},
		"that does not do": {[]mapping.LabelRule{{Label: "sensitive", When: nsfw}}, `{"nsfw": false}`, nil, 0},
		"a column under a condition": {
			[]mapping.LabelRule{{Column: "tags", When: nsfw}}, `{"nsfw": false, "tags": ["go"]}`, nil, 0,
		},
		"what can be none": {
			[]mapping.LabelRule{tags},
			`{"tags": ["` + strings.Repeat("x", 61) + `", "a,b", "a\nb", "go"]}`,
			[]string{"tag:go"},
			3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := mapping.Default()
			cfg.Post.Labels, cfg.Post.HiddenWhen = c.rules, nil
			m, err := mapping.New(cfg, "cdc")
			require.NoError(t, err)
			fields := map[string]json.RawMessage{
				"id": json.RawMessage("7"), "author_id": json.RawMessage("8"), "created_at": json.RawMessage("1"),
			}
			require.NoError(t, json.Unmarshal([]byte(c.row), &fields))
			row, err := m.Of(mapping.Post).Alive(envelope.NewRow(map[string]json.RawMessage{"id": fields["id"]}),
				envelope.NewRow(fields))
			require.NoError(t, err)
			require.Equal(t, core.LabelsOf(core.LabelIDs(c.want)...), row.Labels)
			require.Equal(t, c.leftOut, row.LabelsLeftOut)
			texts, err := cfg.LabelsOf(envelope.NewRow(fields))
			require.NoError(t, err)
			require.ElementsMatch(t, c.want, texts, "what the fallback makes of the same columns")
			require.Subset(t, m.Of(mapping.Post).NeededColumns(), cfg.LabelColumns())
		})
	}
}

func TestAPostHasAsManyLabelsAsThereCanBe(t *testing.T) {
	cfg := mapping.Default()
	cfg.Post.Labels = []mapping.LabelRule{{Column: "tags"}}
	var numbers []int
	for i := range core.MaxLabels + 1 {
		numbers = append(numbers, i+1)
	}
	tags, err := json.Marshal(numbers)
	require.NoError(t, err)
	texts, err := cfg.LabelsOf(envelope.NewRow(map[string]json.RawMessage{"tags": tags}))
	require.NoError(t, err)
	require.Len(t, texts, core.MaxLabels)
}

func TestALabelThatTheLogDoesNotTellIsAskedFor(t *testing.T) {
	cfg := mapping.Default()
	cfg.Post.Labels = []mapping.LabelRule{{Column: "tags"}}
	_, err := cfg.LabelsOf(envelope.NewRow(map[string]json.RawMessage{
		"tags": json.RawMessage(`"` + envelope.Unavailable + `"`),
	}))
	require.Equal(t, envelope.ReasonUnavailable, envelope.ReasonOf(err))
}

func TestRulesOfLabelsAreChecked(t *testing.T) {
	when := []mapping.Condition{{Column: "nsfw", Is: "true"}}
	for want, rule := range map[string]mapping.LabelRule{
		"want either column":         {},
		"want either column, whose":  {Column: "tags", Label: "x", When: when},
		"label goes with when":       {Label: "x"},
		"prefix and split go with":   {Label: "x", Prefix: "y:", When: when},
		"a label has at most 64":     {Label: "a,b", When: when},
		"a label has at most 64 byt": {Column: "tags", Prefix: strings.Repeat("x", 64)},
	} {
		cfg := mapping.Default()
		cfg.Post.Labels = []mapping.LabelRule{rule}
		require.Contains(t, cfg.Check()["post.labels[0]"], want)
	}
	cfg := mapping.Default()
	cfg.Post.Labels = []mapping.LabelRule{{Label: "x", When: []mapping.Condition{{Column: "nsfw"}}}}
	require.Contains(t, cfg.Check()["post.labels[0].when[0]"], "exactly one")
	cfg = mapping.Default()
	cfg.Like.Labels = []mapping.LabelRule{{Column: "kind"}}
	require.Equal(t, "only posts have labels", cfg.Check()["like.labels"])
}
