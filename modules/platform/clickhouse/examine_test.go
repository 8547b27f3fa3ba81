package clickhouse_test

import (
	"testing"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

func profiled(t *testing.T, profile map[string]string) *embedded.Stack {
	t.Helper()
	return embeddedtest.OwnWith(t, embedded.Options{Only: []string{embedded.ClickHouse}, ClickHouseProfile: profile})
}

func TestAProfileThatCannotBePinnedIsRefusedByName(t *testing.T) {
	for name, why := range map[string]struct {
		profile map[string]string
		says    string
	}{
		"readonly": {map[string]string{"readonly": "1"}, "take readonly or the constraint off"},
		"readonly, with settings": {
			map[string]string{"readonly": "2"},
			"the profile of user admin has readonly = 2, with which nothing can be written",
		},
		"offset":         {map[string]string{"offset": "1"}, "the profile of user admin sets offset"},
		"what is pinned": {map[string]string{"join_use_nulls": "1", "limit": "1", "final": "1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			servers := profiled(t, why.profile)
			cfg := stack.Configs(servers.Addresses()).ClickHouseConfig
			warnings, err := clickhouse.Examine(t.Context(), cfg)
			if why.says == "" {
				require.NoError(t, err)
				for _, warning := range warnings {
					require.Contains(t, warning, "#112149", "of the version alone")
				}
				return
			}
			var unsuitable *clickhouse.Unsuitable
			require.ErrorAs(t, err, &unsuitable)
			require.Equal(t, cfg.Addrs[0], unsuitable.Addr)
			require.ErrorContains(t, err, why.says)
		})
	}
}

func TestAServerThatIsAwayIsNotUnsuitable(t *testing.T) {
	cfg := clickhouse.DefaultConfig()
	cfg.Addrs = []string{"127.0.0.1:1"}
	_, err := clickhouse.Examine(t.Context(), cfg)
	require.Error(t, err)
	var unsuitable *clickhouse.Unsuitable
	require.NotErrorAs(t, err, &unsuitable)
}

func TestALimitOfTheProfileIsAnErrorAndNotHalfAnAnswer(t *testing.T) {
	c := client(t, profiled(t, map[string]string{
		"max_rows_to_read": "50", "read_overflow_mode": "break",
		"max_block_size": "10",
	}))
	n, err := number(t.Context(), c, "SELECT count() AS n FROM numbers(40)")
	require.NoError(t, err)
	require.EqualValues(t, 40, n)
	_, err = number(t.Context(), c, "SELECT uniqExact(number) AS n FROM numbers(1000)")
	exception, ok := clickhouse.AsException(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, proto.ErrTooManyRows, exception.Code, "%v", err)
}
