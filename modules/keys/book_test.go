package keys

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

// bookOf is a book of one process. Several share a ClickHouse.
func bookOf(t *testing.T, client *clickhouse.Client) *Book {
	t.Helper()
	return New(Params{
		Config: DefaultConfig(), ClickHouse: client, Clock: core.SystemClock{}, Registry: prometheus.NewRegistry(),
		Log: zap.NewNop(),
	})
}

// planted are two keys of one number, as SHA-256 gives none that anybody knows of.
func planted() (one, other core.Key) {
	const number = core.ID(5)<<60 + 7
	return core.Key{ID: number, Text: "one " + uuid.NewString()}, core.Key{ID: number, Text: "other " + uuid.NewString()}
}

func TestAdmittedKeysAreNamedByEveryProcess(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	writer, reader := bookOf(t, s.ClickHouse), bookOf(t, s.ClickHouse)
	admitted := []core.Key{keyOf(t, uuid.NewString()), keyOf(t, "text"), keyOf(t, "0"), keyOf(t, "9223372036854775807")}
	refused, err := writer.Admit(t.Context(), append(admitted, keyOf(t, "7"), keyOf(t, "-1"), admitted[0]))
	require.NoError(t, err)
	require.Empty(t, refused)
	require.Equal(t, len(admitted), s.Count(t, "SELECT count() AS n FROM keys FINAL"))

	unknown := keyOf(t, "nobody admitted it")
	texts, err := reader.Texts(t.Context(), append(numbers(admitted), 7, unknown.ID))
	require.NoError(t, err)
	want := map[core.ID]string{}
	for _, k := range admitted {
		want[k.ID] = k.Text
	}
	require.Equal(t, want, texts)
	require.EqualValues(t, 1, testutil.ToFloat64(reader.metrics.unnamed))

	texts, err = reader.Texts(t.Context(), []core.ID{1, 2, -3})
	require.NoError(t, err)
	require.Nil(t, texts, "integers are their own keys")
}

func TestAdmittingAgainAsksNothingAndWritesNothing(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	k := keyOf(t, "text")
	book := bookOf(t, s.ClickHouse)
	for range 3 {
		for _, b := range []*Book{book, bookOf(t, s.ClickHouse)} {
			refused, err := b.Admit(t.Context(), []core.Key{k})
			require.NoError(t, err)
			require.Empty(t, refused)
		}
	}
	require.Equal(t, 1, s.Count(t, "SELECT count() AS n FROM keys FINAL"))
	away := bookOf(t, nil)
	away.held.put(k.ID, k.Text)
	_, err := away.Admit(t.Context(), []core.Key{k, {ID: 7}}) // it would panic
	require.NoError(t, err)
}

func TestTheSecondTextOfANumberIsRefused(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	one, other := planted()
	free := keyOf(t, "free")
	a, b := bookOf(t, s.ClickHouse), bookOf(t, s.ClickHouse)
	refused, err := a.Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	require.Empty(t, refused)
	for _, book := range []*Book{a, b, bookOf(t, s.ClickHouse)} { // whether memory knows or not
		for range 2 {
			refused, err = book.Admit(t.Context(), []core.Key{other, free})
			require.NoError(t, err)
			require.Equal(t, core.RefusedKeys{other: {}}, refused)
			k, has := refused.First(free, other)
			require.True(t, has)
			require.Equal(t, other, k)
		}
		texts, err := book.Texts(t.Context(), []core.ID{one.ID})
		require.NoError(t, err)
		require.Equal(t, map[core.ID]string{one.ID: one.Text}, texts)
	}
}

func TestOfTwoTextsOfANumberInABatchTheFirstIsAdmitted(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	one, other := planted()
	refused, err := bookOf(t, s.ClickHouse).Admit(t.Context(), []core.Key{one, other, one})
	require.NoError(t, err)
	require.Equal(t, core.RefusedKeys{other: {}}, refused)
	refused, err = bookOf(t, s.ClickHouse).Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	require.Empty(t, refused)
}

// The second consumer claims while the first one is between its claim and its second look.
func TestInARaceNobodyIsMixedAndAReplayAdmitsOne(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	one, other := planted()
	a, b := bookOf(t, s.ClickHouse), bookOf(t, s.ClickHouse)
	var ofB core.RefusedKeys
	a.reached = func(failpoint) {
		a.reached = func(failpoint) {}
		var err error
		ofB, err = b.Admit(t.Context(), []core.Key{other})
		require.NoError(t, err)
	}
	ofA, err := a.Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	require.Contains(t, ofB, other, "it finds the claim")
	require.Empty(t, ofA, "the one that came later had not claimed yet")

	one, other = planted()
	one.ID, other.ID = one.ID+1, other.ID+1
	var both sync.WaitGroup
	together := func(failpoint) { both.Done(); both.Wait() } // both have claimed, neither has looked
	a.reached, b.reached = together, together
	both.Add(2)
	result := make(chan core.RefusedKeys, 1)
	go func() {
		refused, err := b.Admit(t.Context(), []core.Key{other})
		if err != nil {
			refused = nil
		}
		result <- refused
	}()
	ofA, err = a.Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	require.Contains(t, ofA, one)
	require.Contains(t, <-result, other)
	a.reached, b.reached = func(failpoint) {}, func(failpoint) {}
	texts, err := bookOf(t, s.ClickHouse).Texts(t.Context(), []core.ID{one.ID})
	require.NoError(t, err)
	require.Empty(t, texts)

	ofA, err = a.Admit(t.Context(), []core.Key{one}) // a replay
	require.NoError(t, err)
	require.Empty(t, ofA)
	ofB, err = b.Admit(t.Context(), []core.Key{other})
	require.NoError(t, err)
	require.Contains(t, ofB, other)
}

// Three consumers, two of which bring the same text: what one of them withdraws is not the other's.
func TestAClaimIsWithdrawnByItsOwnerAlone(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	one, other := planted()
	first, rival, second := bookOf(t, s.ClickHouse), bookOf(t, s.ClickHouse), bookOf(t, s.ClickHouse)
	first.reached = func(failpoint) {
		first.reached = func(failpoint) {}
		refused, err := second.Admit(t.Context(), []core.Key{one}) // and holds it
		require.NoError(t, err)
		require.Empty(t, refused)
		// a rival's claim that came late and is not settled
		require.NoError(t, rival.table.write(t.Context(), []core.Key{other}, 1, claimed))
	}
	refused, err := first.Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	require.Contains(t, refused, one)
	texts, err := bookOf(t, s.ClickHouse).Texts(t.Context(), []core.ID{one.ID})
	require.NoError(t, err)
	require.Equal(t, map[core.ID]string{one.ID: one.Text}, texts, "it is still held by the other's claim")
	refused, err = rival.Admit(t.Context(), []core.Key{other})
	require.NoError(t, err)
	require.Contains(t, refused, other)
	refused, err = bookOf(t, s.ClickHouse).Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	require.Empty(t, refused)
}

// A claim whose owner died keeps others out and its own text in.
func TestAClaimThatWasNeverSettledIsAClaim(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	one, other := planted()
	b := bookOf(t, s.ClickHouse)
	require.NoError(t, b.table.write(t.Context(), []core.Key{one}, 1, claimed))
	texts, err := b.Texts(t.Context(), []core.ID{one.ID})
	require.NoError(t, err)
	require.Empty(t, texts, "nothing is named by it")
	refused, err := b.Admit(t.Context(), []core.Key{other})
	require.NoError(t, err)
	require.Contains(t, refused, other)
	refused, err = b.Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	require.Empty(t, refused)
	texts, err = bookOf(t, s.ClickHouse).Texts(t.Context(), []core.ID{one.ID})
	require.NoError(t, err)
	require.Equal(t, map[core.ID]string{one.ID: one.Text}, texts, "whoever admits it holds it, so that it is named")

	// Two processes claimed a number for two texts, and neither was seen to hold it or to withdraw.
	first, second := core.Key{ID: one.ID + 1, Text: one.Text}, core.Key{ID: one.ID + 1, Text: other.Text}
	require.NoError(t, b.table.write(t.Context(), []core.Key{first}, 2, claimed))
	require.NoError(t, b.table.write(t.Context(), []core.Key{second}, 3, claimed))
	for _, k := range []core.Key{first, second} {
		refused, err = bookOf(t, s.ClickHouse).Admit(t.Context(), []core.Key{k})
		require.NoError(t, err)
		require.Contains(t, refused, k, "the number may come to be held by the other")
	}
}

// Many consumers bring two texts of each number at the same time.
func TestNoTwoTextsOfANumberAreEverAdmitted(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	const consumers, numbers = 6, 40
	admitted := make([]map[core.ID]string, consumers)
	var all sync.WaitGroup
	for c := range consumers {
		all.Go(func() {
			b := bookOf(t, s.ClickHouse)
			admitted[c] = map[core.ID]string{}
			for i := range numbers {
				k := core.Key{ID: core.ID(5)<<60 + core.ID(i), Text: "text " + string(rune('a'+(c+i)%2))}
				if refused, err := b.Admit(t.Context(), []core.Key{k}); err == nil && len(refused) == 0 {
					admitted[c][k.ID] = k.Text
				}
			}
		})
	}
	all.Wait()
	of, n := map[core.ID]string{}, 0
	for _, some := range admitted {
		for id, text := range some {
			if was, ok := of[id]; ok {
				require.Equal(t, was, text)
			}
			of[id] = text
			n++
		}
	}
	require.Positive(t, n)
	texts, err := bookOf(t, s.ClickHouse).Texts(t.Context(), keysOf(of))
	require.NoError(t, err)
	require.Equal(t, of, texts)
}

func keysOf(of map[core.ID]string) (ids []core.ID) {
	for id := range of {
		ids = append(ids, id)
	}
	return ids
}

func TestAViewerWithTheNumberOfAnotherIsRefused(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	one, other := planted()
	_, err := bookOf(t, s.ClickHouse).Admit(t.Context(), []core.Key{one})
	require.NoError(t, err)
	b := bookOf(t, s.ClickHouse)
	for range 2 {
		err = b.Check(t.Context(), other)
		require.Equal(t, core.CodeForbidden, core.CodeOf(err))
		require.NoError(t, b.Check(t.Context(), one))
		require.NoError(t, b.Check(t.Context(), core.Key{ID: 7}))
	}
	require.EqualValues(t, 2, testutil.ToFloat64(b.metrics.viewers))
}

type away struct{}

func (away) Do(context.Context, func(context.Context) error) error { return errors.New("away") }

func TestWhatWasHeardNamesUntilClickHouseSaysOtherwise(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	one, other := planted()
	good := keyOf(t, uuid.NewString())
	b := bookOf(t, s.ClickHouse)
	b.guard = away{}
	for _, k := range []core.Key{other, good} {
		require.NoError(t, b.Check(t.Context(), k), "with ClickHouse away they pass")
		require.NoError(t, b.Hear(k))
	}
	require.ErrorIs(t, b.Hear(one), ErrOther)
	texts, err := b.Texts(t.Context(), []core.ID{other.ID, good.ID})
	require.NoError(t, err)
	require.Equal(t, map[core.ID]string{other.ID: other.Text, good.ID: good.Text}, texts)

	refused, err := bookOf(t, s.ClickHouse).Admit(t.Context(), []core.Key{one, good})
	require.NoError(t, err)
	require.Empty(t, refused)
	require.NoError(t, b.compareDue(t.Context()))
	texts, err = b.Texts(t.Context(), []core.ID{other.ID, good.ID})
	require.NoError(t, err)
	require.Equal(t, map[core.ID]string{good.ID: good.Text}, texts, "neither is named here")
	require.Error(t, b.Check(t.Context(), other))
	require.Empty(t, b.pending)
}

func TestWhatWasHeardIsComparedMoreAndMoreSeldom(t *testing.T) {
	t.Parallel()
	b := bookOf(t, nil)
	require.NoError(t, b.Hear(keyOf(t, "text")))
	now, looks := time.Now(), 0
	for range 2 * 600 { // ten minutes
		now = now.Add(compareEvery)
		looks += len(b.due(now))
	}
	require.Greater(t, looks, 10)
	require.Less(t, looks, 30)
}

func TestLearnTellsTheNumber(t *testing.T) {
	t.Parallel()
	b := bookOf(t, nil)
	for _, key := range []string{"7", "-1", "text"} {
		id, err := b.Learn(key)
		require.NoError(t, err)
		require.Equal(t, keyOf(t, key).ID, id)
	}
	_, err := b.Learn("")
	require.ErrorIs(t, err, core.ErrInvalidID)
	text, ok := b.Text(keyOf(t, "text").ID)
	require.True(t, ok)
	require.Equal(t, "text", text)
	require.Len(t, b.pending, 1)
}

func TestWithClickHouseAwayWhatIsKeptOfAViewerTellsWhoTheyAre(t *testing.T) {
	t.Parallel()
	viewer, post := keyOf(t, uuid.NewString()), keyOf(t, "post")
	b := bookOf(t, nil)
	b.guard = away{}
	b.kept = func(_ context.Context, user core.ID) ([]string, error) {
		require.Equal(t, viewer.ID, user)
		return []string{viewer.Text, post.Text}, nil
	}
	other := core.Key{ID: viewer.ID, Text: "of another"}
	require.Equal(t, core.CodeForbidden, core.CodeOf(b.Check(t.Context(), other)))
	require.NoError(t, b.Check(t.Context(), viewer))
	texts, err := b.Texts(t.Context(), []core.ID{post.ID})
	require.NoError(t, err)
	require.Equal(t, map[core.ID]string{post.ID: post.Text}, texts)
}
