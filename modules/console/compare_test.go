package console

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTwoPagesSideBySide(t *testing.T) {
	rows := besides([]string{"a", "b", "c"}, []string{"b", "a", "d", "e"})
	require.Equal(t, []compareRow{
		{1, comparedPost{Post: "a", Moved: -1}, comparedPost{Post: "b", Moved: 1}},
		{2, comparedPost{Post: "b", Moved: 1}, comparedPost{Post: "a", Moved: -1}},
		{
			3,
			comparedPost{Post: "c", Class: "late", Says: "goes out"},
			comparedPost{Post: "d", Class: "late", Says: "comes in"},
		},
		{4, comparedPost{}, comparedPost{Post: "e", Class: "late", Says: "comes in"}},
	}, rows)
	require.Empty(t, besides(nil, nil))
}

func TestReasonsForSuggestionsAreSentences(t *testing.T) {
	require.Equal(t, "followed by 1 person whom they follow", because("followed_by", 1))
	require.Equal(t, "3 people whom they follow like, comment on or share their posts", because("engaged_by", 3))
	for _, kind := range []string{"engaged", "popular", "active", "new kind"} {
		require.NotEmpty(t, because(kind, 2))
	}
}
