package events

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/documented"
)

func TestEveryMetricIsDocumentedWithWhatToDoWhenItRises(t *testing.T) {
	reg := prometheus.NewRegistry()
	newMetrics(reg, core.SystemClock{})
	NewAPI(DefaultConfig().API(), "events", nil, nil, core.SystemClock{}, reg)
	documented.Require(t, "../../config/prometheus/runbook.md", reg, "feedrank_events_")
}
