package reserve_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

var anyID = rapid.Custom(func(t *rapid.T) core.ID {
	return core.ID(rapid.OneOf(rapid.Int64Range(1, 500), rapid.Int64Min(1)).Draw(t, "id"))
})

func drawReserve(t *rapid.T) reserve.Reserve {
	ids := rapid.SliceOfNDistinct(anyID, 1, 40, rapid.ID[core.ID]).Draw(t, "authors")
	slices.Sort(ids)
	r := reserve.Reserve{
		BuiltAt: time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "built")).UTC(),
		Ranking: rapid.Uint64().Draw(t, "ranking"),
	}
	for _, id := range ids {
		r.Authors = append(r.Authors, reserve.Author{
			ID: id, Relation: reserve.Relation(rapid.IntRange(0, 127).Draw(t, "relation")),
			Interactions: float32(rapid.IntRange(-5, 5).Draw(t, "interactions")),
		})
	}
	for range rapid.IntRange(0, 60).Draw(t, "candidates") {
		r.Candidates = append(r.Candidates, reserve.Candidate{
			Post: anyID.Draw(t, "post"), Author: int32(rapid.IntRange(0, len(ids)-1).Draw(t, "author")),
			Source:  reserve.Source(rapid.IntRange(1, 15).Draw(t, "source")),
			Created: rapid.Int64Range(0, 1<<40).Draw(t, "created") * 1000,
		})
	}
	r.Hidden = rapid.SliceOfNDistinct(anyID, 0, 5, rapid.ID[core.ID]).Draw(t, "hidden")
	slices.Sort(r.Hidden)
	for range rapid.IntRange(0, 2).Draw(t, "ends") {
		r.Ends = append(r.Ends, reserve.End{Author: ids[0], Relation: reserve.Mutes, At: r.BuiltAt.UnixMilli() + 7})
	}
	return r
}

func TestAnEntryComesBackAsItWas(t *testing.T) {
	var entry reserve.Entry // used again, as the feed does
	rapid.Check(t, func(t *rapid.T) {
		want := drawReserve(t)
		fresh := time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "fresh"))
		b := reserve.AppendEntry(nil, rapid.Uint64().Draw(t, "nonce"), fresh, &want)
		require.NoError(t, entry.Decode(b))
		require.True(t, entry.HasBody)
		require.True(t, entry.FreshUntil.Equal(fresh))
		require.Equal(t, reserve.Tag(b[:reserve.TagSize]), entry.Tag)
		require.Equal(t, want.BuiltAt, entry.Reserve.BuiltAt)
		require.Equal(t, want.Ranking, entry.Reserve.Ranking)
		require.Equal(t, want.Authors, entry.Reserve.Authors)
		require.Equal(t, len(want.Candidates), len(entry.Reserve.Candidates))
		for i := range want.Candidates {
			require.Equal(t, want.Candidates[i], entry.Reserve.Candidates[i])
		}
		require.True(t, slices.Equal(want.Hidden, entry.Reserve.Hidden))
		require.True(t, slices.Equal(want.Ends, entry.Reserve.Ends))
		require.Empty(t, entry.Patches)
	})
}

func TestAPostThatIsHiddenIsNoAuthor(t *testing.T) {
	authors, hidden := reserve.Split([]reserve.Author{
		{ID: 7, Relation: reserve.HidPost},
		{ID: 7, Relation: reserve.Follows},
		{ID: 3, Relation: reserve.HidPost},
		{ID: 7, Relation: reserve.HidPost},
	})
	require.Equal(t, []reserve.Author{{ID: 7, Relation: reserve.Follows}}, authors)
	require.Equal(t, []core.ID{3, 7}, hidden)
	r := reserve.Reserve{Authors: authors, Hidden: hidden}
	hide, unhide := reserve.Patch{Kind: reserve.PatchHide, Other: 5}, reserve.Patch{Kind: reserve.PatchUnhide, Other: 7}
	require.False(t, r.Knows(hide))
	require.False(t, r.Knows(unhide))
	shared := r.Clone()
	shared.Apply([]reserve.Patch{hide, unhide, hide, unhide}, -5)
	require.Equal(t, []core.ID{3, 5}, shared.Hidden)
	require.True(t, shared.Knows(hide))
	require.True(t, shared.Knows(unhide))
	require.Equal(t, authors, shared.Authors, "no author has come or gone")
	require.Equal(t, []core.ID{3, 7}, r.Hidden, "others use it, too")
}

func TestAnEntryThatWasPatchedIsNotFreshAndObeysThePatch(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	r := reserve.Reserve{
		BuiltAt: now, Authors: []reserve.Author{{ID: 10, Relation: reserve.Follows, Interactions: 3}, {ID: 30}},
		Candidates: []reserve.Candidate{
			{Post: 1, Author: 0, Source: reserve.Followee | reserve.Affine},
			{Post: 2, Author: 1, Source: reserve.Trending},
		},
	}
	b := reserve.AppendEntry(nil, 1, now.Add(time.Minute), &r)
	var entry reserve.Entry
	require.NoError(t, entry.Decode(b))
	require.True(t, entry.Fresh(now))
	require.False(t, entry.Fresh(now.Add(time.Hour)))

	b = reserve.AppendPatch(b, reserve.Patch{Kind: reserve.PatchBlockedBy, Other: 20})
	b = reserve.AppendPatch(b, reserve.Patch{Kind: reserve.PatchUnfollow, Other: 10})
	require.NoError(t, entry.Decode(b))
	require.False(t, entry.Fresh(now))
	entry.Reserve.Apply(entry.Patches, -5)
	require.Equal(t, reserve.BlockedBy, entry.Reserve.Author(20).Relation)
	require.Zero(t, entry.Reserve.Author(10).Affinity())
	require.Zero(t, entry.Reserve.Author(10).Relation&reserve.Follows)
	require.Len(t, entry.Reserve.Candidates, 1, "nobody else offered what the author posted")
	require.Equal(t, core.ID(30), entry.Reserve.Authors[entry.Reserve.Candidates[0].Author].ID,
		"candidates keep their authors")
}

func TestAMarkerHoldsPatchesOfAViewerWithoutEntry(t *testing.T) {
	b := reserve.AppendPatch(reserve.AppendMarker(nil, 7), reserve.Patch{Kind: reserve.PatchFollow, Other: 4})
	var entry reserve.Entry
	require.NoError(t, entry.Decode(b))
	require.False(t, entry.HasBody)
	require.False(t, entry.Fresh(time.UnixMilli(0)))
	require.Equal(t, []reserve.Patch{{Kind: reserve.PatchFollow, Other: 4}}, entry.Patches)
}

func TestAFollowerWhoIsLostMattersOnlyWhereTheViewerFollowsThem(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	r := reserve.Reserve{BuiltAt: now, Authors: []reserve.Author{
		{ID: 10, Relation: reserve.Mutual}, {ID: 20, Relation: reserve.Follows},
	}}
	b := reserve.AppendEntry(nil, 1, now.Add(time.Minute), &r)
	for _, other := range []core.ID{20, 30} {
		b = reserve.AppendPatch(b, reserve.Patch{Kind: reserve.PatchUnfollowedBack, Other: other})
	}
	var entry reserve.Entry
	require.NoError(t, entry.Decode(b))
	require.True(t, entry.Fresh(now), "an author loses followers all the time")
	b = reserve.AppendPatch(b, reserve.Patch{Kind: reserve.PatchUnfollowedBack, Other: 10})
	require.NoError(t, entry.Decode(b))
	require.False(t, entry.Whole(now))
	entry.Reserve.Apply(entry.Patches, -5)
	require.Equal(t, reserve.Follows, entry.Reserve.Author(10).Relation)

	back := func(other core.ID) reserve.Patch { return reserve.Patch{Kind: reserve.PatchFollowedBack, Other: other} }
	follow := reserve.Patch{Kind: reserve.PatchFollow, Other: 50}
	require.Equal(t, []reserve.Patch{back(20), back(50), follow},
		r.Unknown([]reserve.Patch{back(10), back(20), back(40), back(50), follow}),
		"who follows the viewer matters as far as the viewer follows them")
	r.Apply([]reserve.Patch{back(50), follow}, -5)
	require.Equal(t, reserve.Mutual, r.Author(50).Relation)
}

func TestAGroupMayHaveTheIDOfAnAuthor(t *testing.T) {
	r := reserve.Reserve{Authors: []reserve.Author{{ID: 10, Relation: reserve.Follows}}}
	joined := reserve.Patch{Kind: reserve.PatchJoined, Other: 10}
	left := reserve.Patch{Kind: reserve.PatchLeft, Other: 10}
	require.False(t, r.Member(core.Members, 10))
	require.True(t, r.Knows(left))
	r.Apply([]reserve.Patch{joined, {Kind: reserve.PatchBlock, Other: 20}}, -5)
	require.True(t, r.Knows(joined))
	require.True(t, r.Member(core.Members, 10))
	require.False(t, r.Member(core.Followers, 10), "the post is for others")
	require.False(t, r.Member(core.Members, 20))
	require.False(t, r.Member(core.Members, 0), "a post for the members of no group")
	require.Equal(t, reserve.Follows|reserve.MemberOf, r.Author(10).Relation)
	r.Apply([]reserve.Patch{left}, -5)
	require.Equal(t, reserve.Follows, r.Author(10).Relation)
}

func TestAFollowUndoesAnUnfollow(t *testing.T) {
	r := reserve.Reserve{Authors: []reserve.Author{{ID: 10, Relation: reserve.Follows, Interactions: 3}}}
	r.Apply([]reserve.Patch{{Kind: reserve.PatchUnfollow, Other: 10}, {Kind: reserve.PatchFollow, Other: 10}}, -5)
	require.Equal(t, reserve.Follows, r.Author(10).Relation)
	require.InDelta(t, 3, r.Author(10).Affinity(), 0)
}

func TestAnOrderBelongsToItsSession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []reserve.Place
		for range rapid.IntRange(0, 50).Draw(t, "n") {
			want = append(want, reserve.Place{
				Post:   anyID.Draw(t, "post"),
				Source: reserve.Source(rapid.IntRange(0, 15).Draw(t, "source")),
			})
		}
		session := rapid.Uint64().Draw(t, "session")
		b := reserve.AppendOrder(nil, session, want)
		got, err := reserve.DecodeOrder(nil, session, b)
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = reserve.DecodeOrder(nil, session+1, b)
		require.ErrorIs(t, err, reserve.ErrMalformed)
	})
}

func FuzzEntry(f *testing.F) {
	r := reserve.Reserve{
		Authors:    []reserve.Author{{ID: 1, Interactions: 2}},
		Candidates: []reserve.Candidate{{Post: 5, Source: 1}},
	}
	f.Add(reserve.AppendEntry(nil, 1, time.UnixMilli(5), &r))
	f.Add(reserve.AppendPatch(reserve.AppendMarker(nil, 2), reserve.Patch{Kind: 1, Other: 1}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var entry reserve.Entry
		if err := entry.Decode(b); err != nil {
			require.ErrorIs(t, err, reserve.ErrMalformed)
			return
		}
		entry.Reserve.Apply(entry.Patches, -5)
		for _, c := range entry.Reserve.Candidates {
			_ = entry.Reserve.Authors[c.Author]
		}
	})
}

func FuzzOrder(f *testing.F) {
	f.Add(reserve.AppendOrder(nil, 1, []reserve.Place{{Post: 9, Source: 1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := reserve.DecodeOrder(nil, 1, b); err != nil {
			require.ErrorIs(t, err, reserve.ErrMalformed)
		}
	})
}

func BenchmarkDecodeAnEntryOf500PostsAnd250Authors(b *testing.B) {
	var r reserve.Reserve
	for i := range 250 {
		r.Authors = append(r.Authors, reserve.Author{
			ID: core.ID(1000 + i*37), Relation: reserve.Follows,
			Interactions: float32(i % 3),
		})
	}
	for i := range 500 {
		r.Candidates = append(r.Candidates, reserve.Candidate{
			Post:   core.ID(1_000_000 + (i*7919)%100_000),
			Author: int32(i % 250), Source: 1,
		})
	}
	encoded := reserve.AppendEntry(nil, 1, time.UnixMilli(1), &r)
	var entry reserve.Entry
	b.ReportMetric(float64(len(encoded)), "bytes/entry")
	b.ReportAllocs()
	for b.Loop() {
		if err := entry.Decode(encoded); err != nil {
			b.Fatal(err)
		}
	}
}
