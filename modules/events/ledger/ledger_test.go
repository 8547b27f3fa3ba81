package ledger

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
)

func ledgerOf(s *stack.Stack, partition int32) *Partition {
	return New(s.ClickHouse, core.SystemClock{}, 10*time.Second, 1000).Partition(1, partition, 1024, false)
}

func randomToken() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// nextFence takes the next fence as a newcomer would.
func nextFence(t testing.TB, l *Partition) Fence {
	t.Helper()
	number, err := l.NextFence(t.Context())
	require.NoError(t, err)
	f := Fence{Number: number, Token: randomToken()}
	require.NoError(t, l.Claim(t.Context(), f, "test"))
	return f
}

func oneRow(offset int64) Row {
	r := Row{Offset: offset, Effect: 1}
	r.User, r.Post, r.Author, r.Action = 7, 8, 9, core.ActionLike
	binary.BigEndian.PutUint64(r.ID[8:], uint64(offset+1))
	r.Occurred = time.Now().UnixMilli()
	r.Received, r.Device = r.Occurred, "phone"
	return r
}

// insertRows inserts rows under a fence.
func (l *Partition) insertRows(ctx context.Context, f Fence, rows ...Row) error {
	return l.Insert(ctx, f, rows, false)
}

func TestOnlyTheNewestFenceCanWrite(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	l := ledgerOf(s, 3)
	number, err := l.newest(t.Context())
	require.NoError(t, err)
	require.Zero(t, number)

	unclaimed := Fence{Number: fenceNumber(1, 3, 1), Token: 5}
	require.ErrorIs(t, l.insertRows(t.Context(), unclaimed, oneRow(1)), ErrFenced)

	first := nextFence(t, l)
	require.NoError(t, l.insertRows(t.Context(), first, oneRow(1)))
	require.NoError(t, l.WriteRange(t.Context(), first, OffsetRange{First: 0, Last: 0}, false))

	rival := Fence{Number: first.Number, Token: first.Token + 2}
	require.ErrorIs(t, l.Claim(t.Context(), rival, "rival"), ErrFenced)
	require.ErrorIs(t, l.insertRows(t.Context(), rival, oneRow(1)), ErrFenced)
	require.NoError(t, l.Holds(t.Context(), first))

	second := nextFence(t, l)
	require.Equal(t, first.Number+1, second.Number)
	require.ErrorIs(t, l.insertRows(t.Context(), first, oneRow(2)), ErrFenced)
	require.ErrorIs(t, l.WriteRange(t.Context(), first, OffsetRange{First: 1, Last: 2}, false), ErrFenced)
	require.ErrorIs(t, l.Holds(t.Context(), first), ErrFenced)
	require.NoError(t, l.insertRows(t.Context(), second, oneRow(2), oneRow(5)))

	last, ok, err := l.Position(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 0, last)
	present, err := l.Present(t.Context(), last)
	require.NoError(t, err)
	require.Equal(t, Offsets{1: {Effect: 1, Author: 9}, 2: {Effect: 1, Author: 9}, 5: {Effect: 1, Author: 9}}, present)

	other := ledgerOf(s, 4)
	nextFence(t, other)
	require.NoError(t, l.Holds(t.Context(), second), "another partition's fence is another fence")
}

func TestReconcilingMakesTheViewsEqualToTheRawTable(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	l := ledgerOf(s, 0)
	f := nextFence(t, l)
	rows := make([]Row, 0, 100)
	for i := range 100 {
		r := oneRow(int64(i))
		r.Action = core.Actions()[i%10]
		r.Dwell = uint32(i * 37)
		rows = append(rows, r)
	}
	require.NoError(t, l.insertRows(t.Context(), f, rows...))
	wrong, err := l.Reconcile(t.Context(), f, Beyond(-1))
	require.NoError(t, err)
	require.Zero(t, wrong, "the views count as the recount does")

	for _, damage := range []string{
		"TRUNCATE TABLE post_metrics_1h", "TRUNCATE TABLE user_author_90d",
		"INSERT INTO post_metrics_1h SELECT * FROM post_metrics_1h",
		"INSERT INTO user_author_90d SELECT * FROM user_author_90d",
	} {
		s.Exec(t, damage)
		wrong, err = l.Reconcile(t.Context(), f, Beyond(-1))
		require.NoError(t, err)
		require.Positive(t, wrong, damage)
		wrong, err = l.Reconcile(t.Context(), f, Beyond(-1))
		require.NoError(t, err)
		require.Zero(t, wrong, damage)
	}

	s.Exec(t, "TRUNCATE TABLE post_metrics_1h")
	nextFence(t, l)
	_, err = l.Reconcile(t.Context(), f, Beyond(-1))
	require.ErrorIs(t, err, ErrFenced, "an old owner repairs nothing")
}
