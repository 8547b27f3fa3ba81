package audit

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

// keyed knows the keys of some numbers.
type keyed struct {
	core.NoNames
	texts map[core.ID]string
}

func (k keyed) Texts(context.Context, []core.ID) (map[core.ID]string, error) { return k.texts, nil }

func TestFindingsNameByTheAppsKeysAndAreKeptWithNumbers(t *testing.T) {
	w := newWorld(t)
	known, err := core.ParseID(`a "key"`)
	require.NoError(t, err)
	unknown, err := core.ParseID("nobody knows it")
	require.NoError(t, err)
	w.service.names = keyed{texts: map[core.ID]string{known: `a "key"`}}
	w.exec(t, `INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, likes) VALUES (%d, 5, yesterday(), 0, 1)`,
		known)
	w.exec(t, `INSERT INTO post_metrics_1h (post_id, author_id, hour, kafka_partition, likes) VALUES (%d, %d, toStartOfHour(now()) - 3600, 1, 1)`,
		known, unknown)
	all := func(r Report) (text string) {
		for _, f := range r.Findings {
			text += f.String() + "\n"
		}
		return text
	}
	r := w.audit(t, false)
	last, err := w.service.last(t.Context())
	require.NoError(t, err)
	for _, said := range []string{all(r), all(*last)} {
		require.Contains(t, said, `user "a \"key\"" and author 5`)
		require.Contains(t, said, `post "a \"key\"" of author `+unknown.String())
		require.NotContains(t, said, known.String())
	}
	kept, err := w.service.store.last(t.Context())
	require.NoError(t, err)
	require.Contains(t, all(*kept), "user "+known.String(), "an erasure looks for the number")
	require.NotContains(t, all(*kept), "key")
}
