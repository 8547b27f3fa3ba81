package events

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

func ledgerOf(s *stack.Stack, partition int32) *partitionLedger {
	return newLedger(s.ClickHouse, core.SystemClock{}, 10*time.Second, 1000).of(1, partition, 1024, false)
}

func randomToken() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// nextFence takes the next fence as a newcomer would.
func nextFence(t testing.TB, l *partitionLedger) fence {
	t.Helper()
	number, err := l.nextFence(t.Context())
	require.NoError(t, err)
	f := fence{number: number, token: randomToken()}
	require.NoError(t, l.claim(t.Context(), f, "test"))
	return f
}

func oneRow(offset int64) row {
	r := row{offset: offset, effect: 1}
	r.user, r.post, r.author, r.action = 7, 8, 9, core.ActionLike
	binary.BigEndian.PutUint64(r.id[8:], uint64(offset+1))
	r.occurred = time.Now().UnixMilli()
	r.received, r.device = r.occurred, "phone"
	return r
}

// insertRows inserts rows under a fence.
func (l *partitionLedger) insertRows(ctx context.Context, f fence, rows ...row) error {
	return l.insert(ctx, f, rows, false)
}

func TestOnlyTheNewestFenceCanWrite(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	l := ledgerOf(s, 3)
	number, err := l.newest(t.Context())
	require.NoError(t, err)
	require.Zero(t, number)

	unclaimed := fence{number: NewFence(1, 3, 1), token: 5}
	require.ErrorIs(t, l.insertRows(t.Context(), unclaimed, oneRow(1)), errFenced)

	first := nextFence(t, l)
	require.NoError(t, l.insertRows(t.Context(), first, oneRow(1)))
	require.NoError(t, l.applied(t.Context(), first, extent{first: 0, last: 0}, false))

	rival := fence{number: first.number, token: first.token + 2}
	require.ErrorIs(t, l.claim(t.Context(), rival, "rival"), errFenced)
	require.ErrorIs(t, l.insertRows(t.Context(), rival, oneRow(1)), errFenced)
	require.NoError(t, l.holds(t.Context(), first))

	second := nextFence(t, l)
	require.Equal(t, first.number+1, second.number)
	require.ErrorIs(t, l.insertRows(t.Context(), first, oneRow(2)), errFenced)
	require.ErrorIs(t, l.applied(t.Context(), first, extent{first: 1, last: 2}, false), errFenced)
	require.ErrorIs(t, l.holds(t.Context(), first), errFenced)
	require.NoError(t, l.insertRows(t.Context(), second, oneRow(2), oneRow(5)))

	last, ok, err := l.position(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 0, last)
	present, err := l.present(t.Context(), last)
	require.NoError(t, err)
	require.Equal(t, offsets{1: {effect: 1, author: 9}, 2: {effect: 1, author: 9}, 5: {effect: 1, author: 9}}, present)

	other := ledgerOf(s, 4)
	nextFence(t, other)
	require.NoError(t, l.holds(t.Context(), second), "another partition's fence is another fence")
}

func TestReconcilingMakesTheViewsEqualToTheRawTable(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	l := ledgerOf(s, 0)
	f := nextFence(t, l)
	rows := make([]row, 0, 100)
	for i := range 100 {
		r := oneRow(int64(i))
		r.action = core.Actions()[i%10]
		r.dwell = uint32(i * 37)
		rows = append(rows, r)
	}
	require.NoError(t, l.insertRows(t.Context(), f, rows...))
	wrong, err := l.reconcile(t.Context(), f, beyond(-1))
	require.NoError(t, err)
	require.Zero(t, wrong, "the views count as the recount does")

	for _, damage := range []string{
		"TRUNCATE TABLE post_metrics_1h", "TRUNCATE TABLE user_author_90d",
		"INSERT INTO post_metrics_1h SELECT * FROM post_metrics_1h", "INSERT INTO user_author_90d SELECT * FROM user_author_90d",
	} {
		s.Exec(t, damage)
		wrong, err = l.reconcile(t.Context(), f, beyond(-1))
		require.NoError(t, err)
		require.Positive(t, wrong, damage)
		wrong, err = l.reconcile(t.Context(), f, beyond(-1))
		require.NoError(t, err)
		require.Zero(t, wrong, damage)
	}

	s.Exec(t, "TRUNCATE TABLE post_metrics_1h")
	nextFence(t, l)
	_, err = l.reconcile(t.Context(), f, beyond(-1))
	require.ErrorIs(t, err, errFenced, "an old owner repairs nothing")
}
