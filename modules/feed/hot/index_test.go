package hot

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func TestTheIndexAnswersAsAPlainMapDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex(0, nil, newLabelSets())
		want := map[core.ID]Post{}
		id := rapid.Int64Range(1, 40)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				p := Post{
					ID: core.ID(id.Draw(t, "id")), Author: core.ID(rapid.Int64Range(1, 4).Draw(t, "author")),
					Created: rapid.Int64Range(0, 20).Draw(t, "created"), Group: core.ID(rapid.Int64Range(0, 2).Draw(t, "group")),
					Labels: x.labels.number(core.LabelsOf(rapid.SliceOfN(id, 0, 2).Draw(t, "labels")...)),
				}
				before, known := want[p.ID]
				require.Equal(t, !known || before.Group != p.Group || before.Labels != p.Labels, x.put(x.asPost(&p)))
				want[p.ID] = p
			},
			"delete": func(t *rapid.T) {
				one := core.ID(id.Draw(t, "id"))
				_, known := want[one]
				require.Equal(t, known, x.delete(one))
				delete(want, one)
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(want), x.len())
				byAuthor, byGroup, grouped := map[core.ID][]Post{}, map[core.ID][]Post{}, 0
				for _, p := range want {
					got := x.get(p.ID)
					require.NotNil(t, got)
					require.Equal(t, p, *got)
					byAuthor[p.Author] = append(byAuthor[p.Author], p)
					if p.Group != 0 {
						byGroup[p.Group] = append(byGroup[p.Group], p)
						grouped++
					}
				}
				ids := make([]core.ID, 42) // all, and two that never were
				for i := range ids {
					ids[i] = core.ID(i)
				}
				for i, got := range x.getAll(nil, ids) {
					require.Same(t, x.get(ids[i]), got)
				}
				requireChains(t, x, byAuthor, x.byAuthor)
				requireChains(t, x, byGroup, x.byGroup)
				require.Equal(t, grouped, x.grouped)
			},
		})
	})
}

// requireChains holds that the posts of each author or group are there, oldest first.
func requireChains(t *rapid.T, x *index, want map[core.ID][]Post, chains map[core.ID][]uint32) {
	require.Len(t, chains, len(want))
	for key, posts := range want {
		slices.SortFunc(posts, func(a, b Post) int {
			return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
		})
		var got []Post
		for _, place := range chains[key] {
			got = append(got, *x.at(place))
		}
		require.Equal(t, posts, got)
	}
}

func TestIdsThatATableTakesForEachOtherAreToldApart(t *testing.T) {
	const slots = 16
	alike := func(id core.ID) uint64 { return id.Hash() & (upperHalf | (slots - 1)) }
	met := map[uint64]core.ID{}
	for id := core.ID(1); ; id++ {
		other, known := met[alike(id)]
		met[alike(id)] = id
		if !known {
			continue
		}
		x := newIndex(0, nil, newLabelSets())
		x.put(x.asPost(&Post{ID: other, Author: 1, Created: 1}))
		require.Len(t, x.byID.slots, slots)
		require.Equal(t, []*Post{x.get(other), nil}, x.getAll(nil, []core.ID{other, id}))
		x.put(x.asPost(&Post{ID: id, Author: 2, Created: 2}))
		got := x.getAll(nil, []core.ID{id, other})
		require.Equal(t, id, got[0].ID)
		require.Equal(t, other, got[1].ID)
		return
	}
}

func TestAListKeepsTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := top{size: rapid.IntRange(1, 20).Draw(t, "size")}
		values := rapid.SliceOf(rapid.Float64Range(0, 5)).Draw(t, "values")
		for i, v := range values {
			list.offer(&Post{ID: core.ID(i + 1), Author: core.ID(i + 1)}, v)
		}
		slices.Sort(values)
		slices.Reverse(values)
		var got []float64
		for _, r := range list.sorted(list.size, 1) {
			got = append(got, r.Value)
		}
		require.Equal(t, values[:min(len(values), list.size)], append([]float64{}, got...))
	})
}

func TestOneAuthorDoesNotFillAListWhileOthersAreThere(t *testing.T) {
	list := top{size: 20}
	for i := range 15 {
		list.offer(&Post{ID: core.ID(i + 1), Author: 1}, 10)
	}
	for i := range 5 {
		list.offer(&Post{ID: core.ID(100 + i), Author: core.ID(100 + i)}, 1)
	}
	posts := list.sorted(8, 3)
	require.Len(t, posts, 8)
	require.Equal(t, core.ID(1), posts[2].Post.Author)
	require.NotEqual(t, core.ID(1), posts[3].Post.Author)
	require.Len(t, list.sorted(20, 3), 20, "but a list is not short for it")
}

func BenchmarkLoadOf300kPosts(b *testing.B) {
	b.ReportAllocs()
	var x *index
	for b.Loop() {
		x = newIndex(300_000, nil, newLabelSets())
		for i := range 300_000 {
			x.put(&core.Post{
				ID: core.ID(i + 1), AuthorID: core.ID(1 + (i*7919)%100_000), CreatedAt: time.UnixMicro(int64(i)),
			})
		}
	}
	b.ReportMetric(float64(x.bytes())/300_000, "estimated-bytes/post")
}
