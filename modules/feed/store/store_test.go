package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only()) }

func newStore(t *testing.T, cfg store.Config) *store.Store {
	t.Helper()
	config := redis.DefaultConfig()
	config.Addrs = []string{embeddedtest.NewRedis(t)}
	client := stack.Redis(t, config)
	return store.New(cfg, client)
}

func entryOf(t *testing.T, s *store.Store, user core.ID) reserve.Entry {
	t.Helper()
	state, err := s.Load(context.Background(), user)
	require.NoError(t, err)
	var e reserve.Entry
	if state.Entry != nil {
		require.NoError(t, e.Decode(state.Entry))
	}
	return e
}

func TestAComputationThatAChangeOvertookIsNotKept(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	ctx, fresh := context.Background(), time.Now().Add(time.Minute)
	block := map[core.ID][]reserve.Patch{7: {{Kind: reserve.PatchBlock, Other: 9}}}
	var lease store.Lease
	begin := func() reserve.Tag {
		var free bool
		var err error
		lease, free, err = s.Lease(ctx, 7, time.Minute)
		require.NoError(t, err)
		require.True(t, free)
		return entryOf(t, s, 7).Tag
	}
	save := func(over reserve.Tag) bool {
		saved, err := s.Save(ctx, 7, lease, over, fresh, &reserve.Reserve{BuiltAt: time.Now()})
		require.NoError(t, err)
		return saved
	}
	absent := begin()
	require.NoError(t, s.Patch(ctx, block), "the viewer blocks somebody while their first reserve is computed")
	require.False(t, save(absent))
	require.Equal(t, block[7], entryOf(t, s, 7).Patches)

	require.True(t, save(begin()), "a computation that began after the change")
	first := entryOf(t, s, 7)
	require.True(t, first.Fresh(time.Now()))
	begin()
	require.NoError(t, s.Patch(ctx, block))
	begin() // another replica, while the first still computes
	require.False(t, save(first.Tag))
	patched := entryOf(t, s, 7)
	require.True(t, patched.HasBody)
	require.False(t, patched.Fresh(time.Now()))
	begin()
	require.True(t, save(patched.Tag))
	require.False(t, save(patched.Tag), "only once")
}

func TestAnEntryOfAnotherVersionIsWrittenOver(t *testing.T) {
	config := redis.DefaultConfig()
	config.Addrs = []string{embeddedtest.NewRedis(t)}
	client := stack.Redis(t, config)
	s := store.New(store.DefaultConfig(), client)
	ctx := context.Background()
	conn, err := client.Conn()
	require.NoError(t, err)
	require.NoError(t, conn.Do(ctx,
		conn.B().Set().Key("feed:v1:{7}").Value("\xffsomething from the future").Build()).Error())
	state, err := s.Load(ctx, 7)
	require.NoError(t, err)
	var e reserve.Entry
	require.ErrorIs(t, e.Decode(state.Entry), reserve.ErrMalformed)
	lease, _, err := s.Lease(ctx, 7, time.Minute)
	require.NoError(t, err)
	saved, err := s.Save(ctx, 7, lease, e.Tag, time.Now(), &reserve.Reserve{BuiltAt: time.Now()})
	require.NoError(t, err)
	require.True(t, saved)
}

func TestMarksAreBoundedAndTheLatestStay(t *testing.T) {
	cfg := store.DefaultConfig()
	cfg.MaxSeen = 10
	s := newStore(t, cfg)
	ctx, now := context.Background(), time.Now()
	for i := range 100 {
		require.NoError(t, s.MarkSeen(ctx, []store.Mark{
			{User: 7, Post: core.ID(i + 1), At: now},
			{User: 8, Post: 1, At: now},
		}))
	}
	state, err := s.Load(ctx, 7)
	require.NoError(t, err)
	require.LessOrEqual(t, len(state.Seen), 2*cfg.MaxSeen*marks.Size)
	var set idset.Set
	marks.Collect(&set, state.Seen, now.Add(-time.Hour), now.Add(time.Hour))
	for i := 91; i <= 100; i++ {
		require.True(t, set.Has(core.ID(i)))
	}
	require.False(t, set.Has(1))
	require.Nil(t, state.Hidden)
}

func TestSessionsOfAUserAreBoundedAndToldApart(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	ctx := context.Background()
	for session := range uint64(100) {
		require.NoError(t, s.SaveOrder(ctx, 7, session,
			reserve.AppendOrder(nil, session, []reserve.Place{{Post: core.ID(session + 1)}})))
	}
	_, order, err := s.LoadOrder(ctx, 7, 99)
	require.NoError(t, err)
	places, err := reserve.DecodeOrder(nil, 99, order)
	require.NoError(t, err)
	require.Equal(t, core.ID(100), places[0].Post)
	_, order, err = s.LoadOrder(ctx, 7, 3)
	require.NoError(t, err)
	_, err = reserve.DecodeOrder(nil, 3, order)
	require.ErrorIs(t, err, reserve.ErrMalformed, "another session has taken its place")
}

func TestAllReservesAreDroppedAndNothingElse(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	ctx := context.Background()
	for user := range core.ID(50) {
		lease, _, err := s.Lease(ctx, user+1, time.Minute)
		require.NoError(t, err)
		_, err = s.Save(ctx, user+1, lease, "", time.Now().Add(time.Hour), &reserve.Reserve{BuiltAt: time.Now()})
		require.NoError(t, err)
	}
	require.NoError(t, s.MarkSeen(ctx, []store.Mark{{User: 1, Post: 5, At: time.Now()}}))
	require.NoError(t, s.Drop(ctx, 50))
	dropped, err := s.DropAll(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(49), dropped)
	state, err := s.Load(ctx, 1)
	require.NoError(t, err)
	require.Nil(t, state.Entry)
	require.NotNil(t, state.Seen)
}

func TestPatchesOfOneViewerFromManySidesAreAllKept(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	ctx := context.Background()
	_, _, err := s.Lease(ctx, 7, time.Minute) // somebody computes: so there is one to be told
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			assert.NoError(t, s.Patch(ctx,
				map[core.ID][]reserve.Patch{7: {{Kind: reserve.PatchFollow, Other: core.ID(i + 1)}}}))
		})
	}
	wg.Wait()
	require.Len(t, entryOf(t, s, 7).Patches, 20)
}

func TestAViewerWithNothingInTheCacheIsNotTold(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	ctx := context.Background()
	follow := map[core.ID][]reserve.Patch{7: {{Kind: reserve.PatchFollow, Other: 9}}}
	require.NoError(t, s.Patch(ctx, follow))
	state, err := s.Load(ctx, 7)
	require.NoError(t, err)
	require.Nil(t, state.Entry)
}

func TestMoreChangesThanAnEntryShouldCarryTakeItsPlace(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	ctx := context.Background()
	lease, _, err := s.Lease(ctx, 7, time.Minute)
	require.NoError(t, err)
	_, err = s.Save(ctx, 7, lease, "", time.Now().Add(time.Hour), &reserve.Reserve{BuiltAt: time.Now()})
	require.NoError(t, err)
	patches := make([]reserve.Patch, 1000)
	for i := range patches {
		patches[i] = reserve.Patch{Kind: reserve.PatchFollow, Other: core.ID(i + 1)}
	}
	require.NoError(t, s.Patch(ctx, map[core.ID][]reserve.Patch{7: patches}))
	e := entryOf(t, s, 7)
	require.False(t, e.HasBody)
	require.Empty(t, e.Patches)
}

func TestALeaseIsHeldByOneAndFallsWithItsTime(t *testing.T) {
	s := newStore(t, store.DefaultConfig())
	ctx := context.Background()
	lease := func(ttl time.Duration) (store.Lease, bool) {
		held, ok, err := s.Lease(ctx, 7, ttl)
		require.NoError(t, err)
		return held, ok
	}
	first, ok := lease(time.Minute)
	require.True(t, ok)
	_, ok = lease(time.Minute)
	require.False(t, ok)
	require.NoError(t, s.Free(ctx, 7, "another"))
	_, ok = lease(time.Minute)
	require.False(t, ok, "only its holder gives it back")
	require.NoError(t, s.Free(ctx, 7, first))
	second, ok := lease(time.Minute)
	require.True(t, ok)
	require.NotEqual(t, first, second)
	saved, err := s.Save(ctx, 7, first, "", time.Now(), &reserve.Reserve{BuiltAt: time.Now()})
	require.NoError(t, err)
	require.False(t, saved, "the lease was lost")
}

func TestABusyRedisIsWaitedForAndOneThatIsAwayIsNot(t *testing.T) {
	servers := embeddedtest.Own(t, embedded.Redis)
	config := redis.DefaultConfig()
	config.Addrs = []string{servers.Redis.Addr()}
	client := stack.Redis(t, config)
	cfg := store.DefaultConfig()
	cfg.WriteFor = 3 * time.Second
	s := store.New(cfg, client)
	ctx := context.Background()
	require.NoError(t, client.Ping(ctx))
	posts := make([]store.Mark, 1000)
	for i := range posts {
		posts[i] = store.Mark{User: core.ID(i + 1), Post: 5, At: time.Now()}
	}

	require.NoError(t, servers.Redis.Freeze())
	done := make(chan error, 1)
	go func() { done <- s.MarkSeen(ctx, posts) }()
	thaw := time.NewTimer(1500 * time.Millisecond) // longer than the deadline of a pipeline
	<-thaw.C
	require.NoError(t, servers.Redis.Thaw())
	require.NoError(t, <-done)
	state, err := s.Load(ctx, 1000)
	require.NoError(t, err)
	require.NotNil(t, state.Seen)

	require.NoError(t, servers.Redis.Kill())
	var lost *store.LostError
	require.ErrorAs(t, s.MarkSeen(ctx, posts), &lost)
	require.Equal(t, 1000, lost.Users)
	require.Less(t, len(lost.Error()), 300, "one reason, not a thousand")
	began := time.Now()
	require.ErrorAs(t, s.MarkSeen(ctx, posts), &lost)
	require.Less(t, time.Since(began), cfg.WriteFor/2, "it was away before")
	require.NoError(t, servers.Redis.Start(ctx))
	wait.Until(t, func() bool { return s.MarkSeen(ctx, posts) == nil })
}
