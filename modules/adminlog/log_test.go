package adminlog_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/adminlog"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) {
	stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Postgres))
}

var day = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func action(who, what, target string, after time.Duration) httpserver.Action {
	return httpserver.Action{
		At: day.Add(after), Who: who, What: what, Target: target, Before: map[string]int{"v": 1},
		After:  map[string]any{"v": 2},
		Status: http.StatusOK, RequestID: "r", Address: "192.0.2.1",
	}
}

func TestWhatOperatorsDoIsListedWithWhatWasBeforeAndAfter(t *testing.T) {
	s := stack.New(t)
	l := adminlog.New(s.Postgres, prometheus.NewRegistry(), zap.NewNop())
	for i, a := range []httpserver.Action{
		action("ana", "ranking.change", "", 0), action("ben", "cache.drop", "42", time.Hour),
		action("ana", "cache.drop", "43", 2*time.Hour),
	} {
		if i == 1 {
			a.Before, a.After = nil, nil
		}
		l.Record(t.Context(), a)
	}
	targets := func(w adminlog.Wanted) (out []string) {
		entries, more, err := l.List(t.Context(), w)
		require.NoError(t, err)
		for _, e := range entries {
			out = append(out, e.Who+" "+e.What+" "+e.Target)
		}
		if more > 0 {
			out = append(out, "more")
		}
		return out
	}
	require.Equal(t, []string{"ana cache.drop 43", "ben cache.drop 42", "ana ranking.change "},
		targets(adminlog.Wanted{Limit: 10}))
	require.Equal(t, []string{"ana cache.drop 43", "ana ranking.change "},
		targets(adminlog.Wanted{Who: "ana", Limit: 10}))
	require.Equal(t, []string{"ana cache.drop 43", "ben cache.drop 42"},
		targets(adminlog.Wanted{What: "cache.drop", Limit: 10}))
	from, to := day.Add(time.Hour), day.Add(2*time.Hour)
	require.Equal(t, []string{"ben cache.drop 42"}, targets(adminlog.Wanted{Since: &from, Until: &to, Limit: 10}))
	require.Equal(t, []string{"ana cache.drop 43", "ben cache.drop 42", "more"}, targets(adminlog.Wanted{Limit: 2}))
	_, more, err := l.List(t.Context(), adminlog.Wanted{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []string{"ana ranking.change "}, targets(adminlog.Wanted{Limit: 2, After: more}))
	require.Equal(t, []string{"ana ranking.change ", "ben cache.drop 42", "more"},
		targets(adminlog.Wanted{Limit: 2, Oldest: true}))
	_, more, err = l.List(t.Context(), adminlog.Wanted{Limit: 2, Oldest: true})
	require.NoError(t, err)
	require.Equal(t, []string{"ana cache.drop 43"}, targets(adminlog.Wanted{Limit: 2, Oldest: true, After: more}))

	entries, _, err := l.List(t.Context(), adminlog.Wanted{Limit: 10})
	require.NoError(t, err)
	require.JSONEq(t, `{"v":1}`, string(entries[0].Before))
	require.JSONEq(t, `{"v":2}`, string(entries[0].After))
	require.Nil(t, entries[1].Before, "and that of one row is not that of the next")
	text, err := json.Marshal(entries[1])
	require.NoError(t, err)
	require.Contains(t, string(text), `"before":null`)
}

// TestNoTextKeepsLaterActionsFromBeingWritten has PostgreSQL meet what it does not take as text.
func TestNoTextKeepsLaterActionsFromBeingWritten(t *testing.T) {
	s := stack.New(t)
	l := adminlog.New(s.Postgres, prometheus.NewRegistry(), zap.NewNop())
	odd := action("a\x00na", "ranking.change", "4\xff2", 0)
	odd.RequestID, odd.Before, odd.After = "\xfe", map[string]string{"note": "a\x00b"},
		map[string]string{"note": "a\xffb"}
	l.Record(t.Context(), odd)
	l.Record(t.Context(), action("ben", "cache.drop", "43", time.Hour))
	entries, _, err := l.List(t.Context(), adminlog.Wanted{Limit: 10})
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "ben", entries[0].Who)
	require.Equal(t, "a\uFFFDna 4\uFFFD2 \uFFFD", entries[1].Who+" "+entries[1].Target+" "+entries[1].RequestID)
	require.JSONEq(t, `{"unreadable":"it holds a NUL"}`, string(entries[1].Before))
	require.JSONEq(t, `{"note":"a\uFFFDb"}`, string(entries[1].After))
}

func TestTheTableIsAppendOnly(t *testing.T) {
	s := stack.New(t)
	l := adminlog.New(s.Postgres, prometheus.NewRegistry(), zap.NewNop())
	l.Record(t.Context(), action("42", "cache.drop", "43", 0))
	for _, statement := range []string{
		"DELETE FROM feedrank.admin_actions", "TRUNCATE feedrank.admin_actions",
		"UPDATE feedrank.admin_actions SET who = 'ben'",
		"UPDATE feedrank.admin_actions SET who = '(erased)', status = 400",
		"UPDATE feedrank.admin_actions SET after = NULL",
		"UPDATE feedrank.admin_actions SET at = now()", "UPDATE feedrank.admin_actions SET target = ''",
	} {
		_, err := s.Postgres.Exec(t.Context(), statement)
		require.ErrorContains(t, err, "append-only", statement)
	}
	_, err := s.Postgres.Exec(t.Context(), sql.Postgres("erase_admin_actions"), []string{"43", "42"})
	require.NoError(t, err, "but a person can be erased")
	entries, _, err := l.List(t.Context(), adminlog.Wanted{Limit: 10})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "(erased) cache.drop (erased)", entries[0].Who+" "+entries[0].What+" "+entries[0].Target)
}

func TestWhatPostgreSQLCannotTakeIsWrittenWhenItIsBack(t *testing.T) {
	s := stack.New(t)
	reg := prometheus.NewRegistry()
	cfg, err := pgxpool.ParseConfig(s.PostgresConfig.DSN)
	require.NoError(t, err)
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	defer pool.Close()
	_, err = s.Postgres.Exec(t.Context(), "ALTER TABLE feedrank.admin_actions RENAME TO away")
	require.NoError(t, err)
	l := adminlog.New(pool, reg, zap.NewNop())
	require.NoError(t, l.Start(t.Context()))
	defer func() { require.NoError(t, l.Stop(t.Context())) }()
	for i := range 3 {
		require.NoError(t, l.Ready())
		l.Record(t.Context(), action("ana", "breaker.force", fmt.Sprint(i), 0))
	}
	require.NoError(t, testutil.GatherAndCompare(reg, waiting(3), "feedrank_admin_actions_waiting"))
	_, err = s.Postgres.Exec(t.Context(), "ALTER TABLE feedrank.away RENAME TO admin_actions")
	require.NoError(t, err)
	wait.Until(t, func() bool {
		return testutil.GatherAndCompare(reg, waiting(0), "feedrank_admin_actions_waiting") == nil
	}, "what waits is written")
	entries, _, err := l.List(t.Context(), adminlog.Wanted{Limit: 10})
	require.NoError(t, err)
	require.Len(t, entries, 3)
	require.Equal(t, "2", entries[0].Target, "in the order in which it was done")
}

func TestWithoutRoomForARecordNothingIsChanged(t *testing.T) {
	s := stack.New(t)
	cfg, err := pgxpool.ParseConfig(s.PostgresConfig.DSN)
	require.NoError(t, err)
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	pool.Close()
	l := adminlog.New(pool, prometheus.NewRegistry(), zap.NewNop())
	for range 1000 {
		require.NoError(t, l.Ready())
		l.Record(t.Context(), action("ana", "breaker.force", "redis", 0))
	}
	require.Error(t, l.Ready())
}
