package doctor_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/doctor"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// ahead is a clock that is so far ahead.
type ahead time.Duration

func (a ahead) Now() time.Time { return time.Now().Add(time.Duration(a)) }

var _ core.Clock = ahead(0)

func examine(t *testing.T, clock core.Clock, checks ...doctor.Check) (says []string, r doctor.Report) {
	t.Helper()
	r = doctor.Examine(t.Context(), clock, "test", checks)
	for _, f := range r.Findings {
		require.NotEmpty(t, f.Do)
		says = append(says, f.Level.String()+" "+f.Area+": "+f.Says)
	}
	return says, r
}

func TestClocksThatAreApartAreFoundOnEveryServer(t *testing.T) {
	s := stack.New(t)
	cache := stack.Redis(t, s.RedisConfig)
	for apart, wrong := range map[time.Duration]int{0: 0, 5 * time.Second: 3, -5 * time.Second: 3} {
		clock := ahead(apart)
		says, _ := examine(t, clock,
			doctor.PostgreSQL{Pool: s.Postgres, Clock: clock, Limits: doctor.DefaultLimits()}.Checks()[0],
			doctor.ClickHouse{Client: s.ClickHouse, Clock: clock, Limits: doctor.DefaultLimits()}.Checks()[0],
			doctor.Redis{Client: cache, Clock: clock}.Checks()[0])
		require.Len(t, says, wrong, "%s: %v", apart, says)
		for _, one := range says {
			require.Regexp(t, `: its clock and the one here are (4\.9\d*|5(\.0\d*)?)s apart`, one)
			require.True(t, strings.HasPrefix(one, "risk "))
		}
	}
}

func TestWhatGrowsIsFoundBeforeItIsTooMuch(t *testing.T) {
	s := stack.New(t)
	clock := ahead(0)
	server := doctor.ClickHouse{
		Client: s.ClickHouse, Clock: clock, MaxPosts: 1000, Window: time.Hour,
		Limits: doctor.DefaultLimits(),
	}
	database := doctor.PostgreSQL{Pool: s.Postgres, Clock: clock, Limits: doctor.DefaultLimits()}
	checks := func() []doctor.Check { return append(server.Checks(), database.Checks()...) }
	says, r := examine(t, clock, checks()...)
	require.Empty(t, says)
	require.Empty(t, r.NotLooked)

	tx, err := s.Postgres.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = tx.Exec(t.Context(), "SELECT 1")
	require.NoError(t, err)
	for range 2 {
		s.Exec(t, "INSERT INTO users (id, lsn) VALUES (1, 1)")
	}
	require.Error(t, s.ClickHouse.Write(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "ALTER TABLE users DELETE WHERE throwIf(id = 1) SETTINGS mutations_sync = 1",
	}}))
	server.Limits = doctor.Limits{FullDisk: 0.001, FullestDisk: 2, Parts: 1}
	database.Limits = doctor.Limits{LongOpen: time.Nanosecond}
	says, r = examine(t, clock, checks()...)
	require.False(t, r.Well())
	all := strings.Join(says, "\n")
	require.Regexp(t, `(?m)^risk clickhouse: disk default is \d+ % full: \d+ \wi?B? ?\w* are left`, all)
	require.Regexp(t, `(?m)^risk clickhouse: a partition of users has \d parts`, all)
	require.Regexp(t, `(?m)^broken clickhouse: a mutation of users fails: `, all)
	require.Regexp(t, `(?m)^risk postgres: a transaction has been open for`, all)
	require.True(t, strings.HasPrefix(all, "broken "), "what is most urgent comes first: %s", all)
}

func TestAServerThatDoesNotAnswerIsOneFinding(t *testing.T) {
	away := errors.New("connection refused")
	asked := 0
	check := func(area string, err error) doctor.Check {
		return doctor.Check{Area: area, Looks: "this", Run: func(context.Context) ([]doctor.Finding, error) {
			asked++
			return nil, err
		}}
	}
	says, r := examine(t, ahead(0), check("a", away), check("a", nil), check("b", nil),
		check("b", doctor.ErrNotAllowed),
		check("b", away))
	require.Equal(t, []string{
		"broken a: does not answer: connection refused",
		"broken b: this cannot be looked at: connection refused",
	}, says)
	require.Equal(t, []string{"a: this (no answer)", "b: this (we may not ask)"}, r.NotLooked)
	require.Equal(t, []string{"b: this"}, r.Looked)
	require.Equal(t, 4, asked)

	var printed strings.Builder
	require.NoError(t, r.Print(&printed))
	require.Contains(t, printed.String(), "1. BROKEN  a: does not answer: connection refused\n")
	require.Contains(t, printed.String(), "2 to fix, of 1 things")
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(text), `"level":"broken"`)
}
