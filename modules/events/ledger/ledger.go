package ledger

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Ledger is ClickHouse as the partitions of one process share it.
type Ledger struct {
	client  *clickhouse.Client
	clock   core.Clock
	timeout time.Duration // for one statement
	writer  *writer
}

// New makes one. timeout is what a statement may take, mostRows what one may insert.
func New(client *clickhouse.Client, clock core.Clock, timeout time.Duration, mostRows int) *Ledger {
	return &Ledger{client: client, clock: clock, timeout: timeout, writer: newWriter(client, clock, mostRows, timeout)}
}

// Rest is how long the writer rests yet; not positive while it does not.
func (l *Ledger) Rest() time.Duration { return l.writer.rows.rest.Left() }

// Partition is one partition of an epoch whose topic has so many. regrouped tells that the raw table may hold events of
// an epoch with another number of partitions.
func (l *Ledger) Partition(epoch uint16, id, partitions int32, regrouped bool) *Partition {
	return &Partition{
		Ledger: l, epoch: epoch, partition: uint16(id), // validated: at most 1024
		partitions: partitions, regrouped: regrouped,
	}
}

// Partition is what ClickHouse knows of one Kafka partition: who may write it, what of it is applied,
// and which events it holds.
type Partition struct {
	*Ledger
	epoch      uint16
	partition  uint16
	partitions int32 // of the topic
	regrouped  bool  // the raw table may hold events of an epoch with another number of partitions
}

func (l *Partition) params(more ...clickhouse.Parameter) []clickhouse.Parameter {
	return append(more, clickhouse.Param("epoch", l.epoch), clickhouse.Param("partition", l.partition))
}

// grouping are the parameters of queries for the events whose copies come to this partition.
func (l *Partition) grouping(more ...clickhouse.Parameter) []clickhouse.Parameter {
	return l.params(append(more, clickhouse.Param("partitions", l.partitions),
		clickhouse.Param("regrouped", l.regrouped))...)
}

func (l *Ledger) read(ctx context.Context, name string, q ch.Query) error {
	q.Body = sql.ClickHouse("event_" + name)
	return l.client.Read(ctx, clickhouse.Query{Name: "event_" + name, Query: q})
}

func (l *Ledger) write(ctx context.Context, timeout time.Duration, name string, q ch.Query) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return l.client.Write(ctx, clickhouse.Query{Name: "event_" + name, Query: q})
}
