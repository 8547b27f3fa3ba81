package consumer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// A batch that ClickHouse refuses again and again stops its partition, and no other: an operator must
// look. It is still tried now and then, because what was wrong may have been put right.
const (
	alarmAfter       = 5                // refusals before the alarm
	insertErrorPause = 20 * time.Second // between tries, at most
)

func (p *partition) alarm(err error) {
	p.metrics.stopped.Set(1)
	p.log.Error("ClickHouse refuses a batch: the partition waits until that is put right, or until its records are quarantined with `feedrank dlq quarantine`",
		zap.Error(err), zap.String("topic", p.topic), zap.Int32("partition", p.id),
		zap.Int64("first_offset", p.batch.first), zap.Int64("last_offset", p.batch.next-1))
}

// kindOf is the label of an uncertain outcome.
func kindOf(err error) string {
	switch _, server := clickhouse.AsException(err); {
	case server:
		return "server"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "connection"
	}
}
