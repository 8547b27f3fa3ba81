package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

func TestTheEventsConsumerTakesOneClickHouse(t *testing.T) {
	cfg := config.Default()
	cfg.Roles = []string{"events-consumer"}
	require.Empty(t, cfg.Check())
	cfg.ClickHouse.Addrs = []string{"a:9000", "b:9000"}
	require.Contains(t, cfg.Check(), "clickhouse.addrs")
	cfg.Roles = []string{"cdc-consumer"}
	require.Empty(t, cfg.Check())
}
