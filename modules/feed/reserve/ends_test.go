package reserve

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEndsAreKeptWithAnEntryAndAnEntryWithoutIsAsItWas(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	r := Reserve{BuiltAt: now, Authors: []Author{{ID: 2, Relation: Mutes}, {ID: 3, Relation: Follows}}}
	without := AppendEntry(nil, 1, now.Add(time.Hour), &r)
	r.Ends = []End{
		{Author: 2, Relation: Mutes, At: now.Add(time.Minute).UnixMilli()},
		{Author: 3, Relation: BlockedBy, At: now.Add(-time.Minute).UnixMilli()},
	}
	with := AppendEntry(nil, 1, now.Add(time.Hour), &r)
	require.Equal(t, without[HeaderSize:], with[HeaderSize:len(without)], "nothing else is written")

	var e Entry
	require.NoError(t, e.Decode(with))
	require.Equal(t, r.Ends, e.Reserve.Ends)
	for n := len(without) + 1; n < len(with); n++ { // cut, with the length of the body as it is then
		cut := append([]byte(nil), with[:n]...)
		cut[17], cut[18] = byte(n-HeaderSize), byte((n-HeaderSize)>>8)
		require.ErrorIs(t, e.Decode(cut), ErrMalformed, n)
	}
	require.NoError(t, e.Decode(without))
	require.Empty(t, e.Reserve.Ends, "the memory of an entry before is used again")
}

func TestAnEntryIsOutOfUseOnceSomethingHasEnded(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	e := Entry{HasBody: true, FreshUntil: now.Add(time.Hour), Reserve: Reserve{
		Authors: []Author{{ID: 2, Relation: Mutes | Follows}, {ID: 3, Relation: Blocks}},
		Ends: []End{
			{Author: 2, Relation: Mutes, At: now.Add(time.Minute).UnixMilli()},
			{Author: 3, Relation: Blocks, At: now.Add(2 * time.Minute).UnixMilli()},
		},
	}}
	require.True(t, e.Fresh(now.Add(time.Minute-time.Millisecond)))
	require.False(t, e.Fresh(now.Add(time.Minute)))
	require.Equal(t, []Patch{{Kind: PatchUnmute, Other: 2}}, e.Reserve.Ended(now.Add(time.Minute), nil, nil))
	muted := []Patch{{Kind: PatchMute, Other: 2}}
	require.Equal(t, muted, e.Reserve.Ended(now.Add(time.Minute), muted, muted), "it was muted once more")
	later := []Patch{{Kind: PatchBlock, Other: 2}}
	require.Len(t, e.Reserve.Ended(now.Add(time.Minute), later, later), 2, "which is another thing")

	authors, ends := Without(e.Reserve.Authors, e.Reserve.Ends, now.Add(time.Minute))
	require.Equal(t, []Author{{ID: 2, Relation: Follows}, {ID: 3, Relation: Blocks}}, authors)
	require.Equal(t, []End{{Author: 3, Relation: Blocks, At: now.Add(2 * time.Minute).UnixMilli()}}, ends)
}
