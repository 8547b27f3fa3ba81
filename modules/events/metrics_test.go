package events

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/events/ingest"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/documented"
)

func TestEveryMetricIsDocumentedWithWhatToDoWhenItRises(t *testing.T) {
	reg := prometheus.NewRegistry()
	consumer.New(DefaultConfig().Consumer(), kafka.DefaultConfig(), nil, nil, core.SystemClock{}, nil, reg,
		zap.NewNop())
	ingest.New(DefaultConfig().Ingest(), "events", nil, nil, core.SystemClock{}, reg)
	documented.Require(t, "../../config/prometheus/runbook.md", reg, "feedrank_events_")
}
