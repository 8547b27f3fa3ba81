package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/store"
)

func TestNamesAreReadAsTheyWereKept(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	viewer := core.ID(-1 << 62)
	texts, err := s.Names(t.Context(), viewer)
	require.NoError(t, err)
	require.Empty(t, texts)
	want := []string{"0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f", "0", strings.Repeat("x", core.MaxKey), "🙂"}
	require.NoError(t, s.KeepNames(t.Context(), viewer, want))
	texts, err = s.Names(t.Context(), viewer)
	require.NoError(t, err)
	require.Equal(t, want, texts)
	require.Contains(t, store.UserKeys(viewer), "names:v1:{-4611686018427387904}", "erasing removes them")
}
