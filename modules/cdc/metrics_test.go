package cdc_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/documented"
)

func TestEveryMetricIsDocumentedWithWhatToDoWhenItRises(t *testing.T) {
	reg := prometheus.NewRegistry()
	_, err := cdc.NewSource(cdc.DefaultConfig(), kafka.DefaultConfig(),
		source.Params{
			Postgres: postgres.DefaultConfig(), Clock: core.SystemClock{}, Log: zaptest.NewLogger(t),
			Registerer: reg,
		})
	require.NoError(t, err)
	_, err = cdc.NewConsumer(cdc.DefaultConfig(), kafka.DefaultConfig(),
		consumer.Params{Clock: core.SystemClock{}, Log: zaptest.NewLogger(t), Registerer: reg})
	require.NoError(t, err)
	_, err = cdc.NewResync(cdc.DefaultConfig(), kafka.DefaultConfig(), nil, nil, nil, core.SystemClock{}, reg)
	require.NoError(t, err)
	documented.Require(t, "../../config/prometheus/runbook.md", reg, "feedrank_cdc_")
}
