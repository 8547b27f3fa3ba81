package absent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

// server is a source that can be away.
type server struct {
	people []core.ID
	away   bool
}

func (s *server) read(_ context.Context, limit int) ([]core.ID, error) {
	if s.away {
		return nil, errors.New("away")
	}
	return s.people[:min(limit, len(s.people))], nil
}

type hands struct{ now time.Time }

func (h *hands) Now() time.Time { return h.now }

func setOf(clickhouse, app *server, most int) (*Set, *hands) {
	clock := &hands{time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	cfg := DefaultConfig()
	cfg.MaxPeople = most
	return New(cfg, 15*time.Minute, clickhouse.read, app.read, clock, prometheus.NewRegistry(), zap.NewNop()), clock
}

func gone(id core.ID) core.Change { return core.Change{Kind: core.UserGone, Viewer: id} }
func back(id core.ID) core.Change { return core.Change{Kind: core.UserBack, Viewer: id} }

func TestWhatIsHeardOutweighsWhatIsReadForAWhile(t *testing.T) {
	clickhouse := &server{people: []core.ID{1, 2}}
	s, clock := setOf(clickhouse, &server{}, 100)
	require.False(t, s.Has(1))
	s.Apply([]core.Change{back(1), gone(3)}) // of what ClickHouse does not have yet
	require.ErrorIs(t, s.Check(t.Context()), absentWords.notLoaded)
	require.Equal(t, s.cfg.ReloadEvery, s.load(t.Context(), time.Second))
	require.NoError(t, s.Check(t.Context()))
	require.Equal(t, []bool{false, true, true}, []bool{s.Has(1), s.Has(2), s.Has(3)})

	require.Equal(t, []core.ID{2}, s.Apply([]core.Change{back(2), back(2), back(7)}), "who was away before")
	s.load(t.Context(), time.Second)
	require.False(t, s.Has(2), "ClickHouse lags behind")
	s.Apply([]core.Change{{Kind: core.UserUnclear, Viewer: 2}})
	require.Len(t, s.reload, 1)
	s.load(t.Context(), time.Second)
	require.True(t, s.Has(2), "ClickHouse decides")

	clock.now = clock.now.Add(16 * time.Minute)
	s.load(t.Context(), time.Second)
	require.Equal(t, []bool{true, true, false}, []bool{s.Has(1), s.Has(2), s.Has(3)}, "nothing was heard lately")
	require.Empty(t, s.heard)
}

func TestPostgreSQLTellsWhoIsSuspendedWhileClickHouseIsAway(t *testing.T) {
	clickhouse, app := &server{people: []core.ID{1, 2}, away: true}, &server{people: []core.ID{1}}
	s, _ := setOf(clickhouse, app, 100)
	require.Equal(t, retry, s.load(t.Context(), time.Second))
	require.Equal(t, []bool{true, false}, []bool{s.Has(1), s.Has(2)})
	require.ErrorIs(t, s.Check(t.Context()), absentWords.partly)
	clickhouse.away = false
	s.load(t.Context(), time.Second)
	require.True(t, s.Has(2))
	require.NoError(t, s.Check(t.Context()))
	clickhouse.away = true
	s.load(t.Context(), time.Second)
	require.True(t, s.Has(2), "it keeps what it has")
}

func TestTheSetIsBoundedAndSaysThatItIsFull(t *testing.T) {
	clickhouse := &server{people: []core.ID{1, 2, 3, 4}}
	s, _ := setOf(clickhouse, &server{}, 3)
	s.load(t.Context(), time.Second)
	require.Equal(t, 3, s.Len())
	require.False(t, s.Has(4), "the last are left out")
	require.ErrorContains(t, s.Check(t.Context()), "max_people")
	clickhouse.people = clickhouse.people[:2]
	s.load(t.Context(), time.Second)
	require.NoError(t, s.Check(t.Context()))
	s.Apply([]core.Change{gone(8), gone(9)})
	require.Equal(t, []bool{true, false}, []bool{s.Has(8), s.Has(9)})
	require.ErrorContains(t, s.Check(t.Context()), "max_people")
}

func TestATableHoldsWhatWasPutInWhileOthersAsk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := setOf(&server{}, &server{}, 1<<20)
		want := map[core.ID]bool{}
		stop := make(chan struct{})
		var asking sync.WaitGroup
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.Has(5)
				}
			}
		})
		for range rapid.IntRange(1, 300).Draw(t, "changes") {
			id := core.ID(rapid.Int64Range(1, 60).Draw(t, "id"))
			if want[id] = rapid.Bool().Draw(t, "gone"); want[id] {
				s.Apply([]core.Change{gone(id)})
			} else {
				s.Apply([]core.Change{back(id)})
			}
		}
		close(stop)
		asking.Wait()
		for id := range core.ID(61) {
			require.Equal(t, want[id], s.Has(id), id)
		}
	})
	var none *Set
	require.False(t, none.Has(1))
}
