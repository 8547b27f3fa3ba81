package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// TestConditionsHoldAsTheirGrammarSays asks each test of each value, as doc.go describes them.
func TestConditionsHoldAsTheirGrammarSays(t *testing.T) {
	in := func(words ...string) mapping.Condition { return mapping.Condition{In: words} }
	notIn := func(words ...string) mapping.Condition { return mapping.Condition{NotIn: words} }
	is := func(word string) mapping.Condition { return mapping.Condition{Is: word} }
	for _, c := range []struct {
		condition  mapping.Condition
		holds, not []string // values, as JSON
		neither    []string
	}{
		{
			in("draft", "2", "true"),
			[]string{`"draft"`, `2`, `"2"`, `true`},
			[]string{`"Draft"`, `" draft"`, `"02"`, `2.0`, `false`, `""`, `null`},
			nil,
		},
		{in(""), []string{`""`}, []string{`null`, `" "`, `"a"`}, nil},
		{notIn("draft", "2"), []string{`"Draft"`, `3`, `""`, `null`}, []string{`"draft"`, `2`}, nil},
		{is("null"), []string{`null`}, []string{`""`, `0`, `false`, `"null"`}, nil},
		{is("set"), []string{`""`, `0`, `false`, `"2026-01-01"`}, []string{`null`}, nil},
		{
			is("true"),
			[]string{`true`, `1`, `"t"`, `"true"`},
			[]string{`false`, `0`, `"f"`, `""`, `null`},
			[]string{`"yes"`, `2`, `"TRUE"`},
		},
		{
			is("false"),
			[]string{`false`, `0`, `"f"`, `""`, `null`},
			[]string{`true`, `1`, `"t"`},
			[]string{`"no"`, `-1`},
		},
	} {
		c.condition.Column = "it"
		cfg := mapping.Default()
		cfg.Like.GoneWhen = []mapping.Condition{c.condition}
		m, err := mapping.New(cfg, "cdc")
		require.NoError(t, err)
		asked := func(value string) (mapping.Row, error) {
			return m.Of(mapping.Like).Alive(row(t, `{"id":1}`),
				row(t, `{"user_id":1,"post_id":2,"created_at":"2026-01-01T00:00:00Z","it":`+value+`}`))
		}
		for value, want := range joined(c.holds, c.not) {
			got, err := asked(value)
			require.NoError(t, err, "%+v of %s", c.condition, value)
			require.Equal(t, want, got.Gone, "%+v of %s", c.condition, value)
		}
		for _, value := range c.neither {
			_, err := asked(value)
			require.Equal(t, envelope.ReasonValue, envelope.ReasonOf(err), "%+v of %s", c.condition, value)
		}
	}
}

func joined(holds, not []string) map[string]bool {
	all := map[string]bool{}
	for _, value := range holds {
		all[value] = true
	}
	for _, value := range not {
		all[value] = false
	}
	return all
}

// TestConditionsOutsideTheGrammarAreRefused has each list of each kind.
func TestConditionsOutsideTheGrammarAreRefused(t *testing.T) {
	it := func(is string) []mapping.Condition { return []mapping.Condition{{Column: "it", Is: is}} }
	for what, c := range map[string]struct {
		change    func(*mapping.Config)
		key, says string
	}{
		"no column": {func(c *mapping.Config) {
			c.Post.OnlyWhen = []mapping.Condition{{Is: "set"}}
		}, "post.only_when[0]", "column is empty"},
		"no test": {func(c *mapping.Config) {
			c.Post.GoneWhen = append(it("set"), mapping.Condition{Column: "it"})
		}, "post.gone_when[1]", "exactly one"},
		"an empty list": {func(c *mapping.Config) {
			c.Post.GoneWhen = []mapping.Condition{{Column: "it", In: []string{}}}
		}, "post.gone_when[0]", "exactly one"},
		"two tests": {func(c *mapping.Config) {
			c.Post.HiddenWhen = []mapping.Condition{{Column: "it", Is: "set", In: []string{"a"}}}
		}, "post.hidden_when[0]", "exactly one"},
		"in and not in": {func(c *mapping.Config) {
			c.Post.HiddenWhen = []mapping.Condition{{Column: "it", NotIn: []string{"b"}, In: []string{"a"}}}
		}, "post.hidden_when[0]", "exactly one"},
		"another word": {
			func(c *mapping.Config) { c.Like.GoneWhen = it("not null") },
			"like.gone_when[0]", "want null, set, true, false, past or future",
		},
		"upper case": {func(c *mapping.Config) { c.Like.GoneWhen = it("TRUE") }, "like.gone_when[0]", "want null"},
		"a follow that ends": {
			func(c *mapping.Config) { c.Follow.GoneWhen = it("past") },
			"follow.gone_when[0]", "when a block or a mute ends",
		},
		"gone in future": {
			func(c *mapping.Config) { c.Mute.GoneWhen = it("future") },
			"mute.gone_when[0]", "gone_when with is: past",
		},
		"only past": {
			func(c *mapping.Config) { c.Block.OnlyWhen = it("past") },
			"block.only_when[0]", "only_when with is: future",
		},
		"a hidden like": {func(c *mapping.Config) { c.Like.HiddenWhen = it("set") }, "like.hidden_when", "gone_when"},
		"a private post": {
			func(c *mapping.Config) { c.Post.PrivateWhen = it("set") },
			"post.private_when", "only users",
		},
		"a post that opts out": {
			func(c *mapping.Config) { c.Post.NoDiscoveryWhen = it("set") },
			"post.no_discovery_when", "unlisted_when",
		},
		"an audience of users": {
			func(c *mapping.Config) { c.User.MutualsWhen = it("set") },
			"user.mutuals_when", "only posts",
		},
	} {
		t.Run(what, func(t *testing.T) {
			cfg := mapping.Default()
			c.change(&cfg)
			wrong := cfg.Check()
			require.Contains(t, wrong[c.key], c.says, wrong)
			_, err := mapping.New(cfg, "cdc")
			require.ErrorContains(t, err, "cdc.tables."+c.key)
		})
	}
}
