package page_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/token"
)

func TestAPageNamesPostsAndAuthorsByTheKeysOfTheApp(t *testing.T) {
	post, err := core.ParseKey(`a "post" <1> \`)
	require.NoError(t, err)
	author, err := core.ParseKey("0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f")
	require.NoError(t, err)
	p := page.Page{
		Viewer: author.ID, Now: time.Now(), Ranking: &rank.Versioned{},
		Items: []*shortlist.Post{{ID: post.ID, Author: author.ID}, {ID: 7, Author: -1}},
		Texts: map[core.ID]string{post.ID: post.Text, author.ID: author.Text},
	}
	secrets, err := token.Secrets([]string{"0123456789abcdef0123456789abcdef"})
	require.NoError(t, err)
	b := page.Append(nil, &p, page.Plain, cursor.NewCodec(secrets, time.Hour, core.SystemClock{}),
		token.NewSigner(secrets))
	var got struct {
		Items []struct{ Post, Author string }
	}
	require.NoError(t, json.Unmarshal(b, &got), string(b))
	require.Equal(t, []struct{ Post, Author string }{{post.Text, author.Text}, {"7", "-1"}}, got.Items)
	require.NotContains(t, string(b), post.ID.String())
	require.NotContains(t, string(b), "<")
}
