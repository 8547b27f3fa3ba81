package ledger

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Fence is the right to write one Kafka partition, until somebody takes the next one. ClickHouse
// refuses the rows of every other.
type Fence struct {
	Number uint64 // see NewFence
	Token  uint64 // random: two who claim one number at the same time have different tokens
}

// fenceNumber is the number of the nth fence of a partition: the epoch, the partition and n, which
// counts from 1, in one number.
func fenceNumber(epoch, partition uint16, n uint32) uint64 {
	return uint64(epoch)<<48 | uint64(partition)<<32 | uint64(n)
}

func (f Fence) epoch() uint16     { return uint16(f.Number >> 48) }
func (f Fence) partition() uint16 { return uint16(f.Number >> 32) } // cut on purpose
func (f Fence) count() uint32     { return uint32(f.Number) }       // cut on purpose

// String is how a fence appears in logs and in the log_comment of statements.
func (f Fence) String() string { return fmt.Sprintf("%d/%d#%d", f.epoch(), f.partition(), f.count()) }

// NewToken is random and not zero.
func NewToken() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// ErrFenced is returned when somebody else has taken the partition.
var ErrFenced = errors.New("another consumer has taken the partition")

// NextFence is the number of the fence that is still to be taken.
func (l *Partition) NextFence(ctx context.Context) (uint64, error) {
	newest, err := l.newest(ctx)
	if err != nil {
		return 0, err
	}
	if newest == 0 {
		newest = fenceNumber(l.epoch, l.partition, 0)
	}
	return newest + 1, nil
}

// newest is the number of the newest fence; zero if none was ever taken.
func (l *Partition) newest(ctx context.Context) (uint64, error) {
	var found proto.ColUInt64
	first := fenceNumber(l.epoch, l.partition, 0)
	err := l.read(ctx, "fence", ch.Query{
		Parameters: []clickhouse.Parameter{
			clickhouse.Param("first", first),
			clickhouse.Param("last", first|0xffffffff),
		},
		Result: proto.Results{{Name: "newest", Data: &found}},
	})
	if err != nil || found.Rows() == 0 {
		return 0, err
	}
	return found.Row(0), nil
}

// Claim takes a fence. It fails with ErrFenced if somebody was faster.
func (l *Partition) Claim(ctx context.Context, f Fence, owner string) error {
	var number, token proto.ColUInt64
	var name proto.ColStr
	var at proto.ColDateTime64
	number.Append(f.Number)
	token.Append(f.Token)
	name.Append(owner)
	at.WithPrecision(proto.PrecisionMilli)
	at.Append(l.clock.Now())
	err := l.writeUnder(ctx, f, l.timeout, "claim", ch.Query{
		Body: "INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES",
		Input: proto.Input{
			{Name: "fence", Data: &number},
			{Name: "token", Data: &token},
			{Name: "owner", Data: &name},
			{Name: "claimed_at", Data: &at},
		},
	})
	if err != nil {
		return err
	}
	return l.Holds(ctx, f)
}

// Holds returns ErrFenced unless f is the newest fence, and ours.
func (l *Partition) Holds(ctx context.Context, f Fence) error {
	var token, next proto.ColUInt64
	err := l.read(ctx, "fence_holder", ch.Query{
		Parameters: []clickhouse.Parameter{clickhouse.Param("fence", f.Number)},
		Result:     proto.Results{{Name: "token", Data: &token}, {Name: "next", Data: &next}},
	})
	if err != nil {
		return err
	}
	if token.Row(0) != f.Token || next.Row(0) != 0 {
		return ErrFenced
	}
	return nil
}

// unlessFenced tells a refusal by the fence from others: the constraint that refused may have been that
// of a partition whose rows went along.
func (l *Partition) unlessFenced(ctx context.Context, f Fence, err error) error {
	if !clickhouse.IsFenced(err) {
		return err
	}
	if held := l.Holds(ctx, f); held != nil {
		return fmt.Errorf("%w: %w", held, err)
	}
	return err
}

// Statements that write are tagged with the fences they write under, so that whoever takes one of the
// partitions finds them in system.processes.

func tagPrefix(database string) string { return "feedrank events " + database + ":" }

func tag(database string, fences ...Fence) string {
	text := tagPrefix(database)
	for _, f := range fences {
		text += " " + f.String()
	}
	return text
}

// commentTag is what stands in the tags of this partition's statements.
func (l *Partition) commentTag() string { return fmt.Sprintf(" %d/%d#", l.epoch, l.partition) }

// writing are the settings of a statement that writes under fences. The server ends it by itself when
// it takes too long, or when we are frozen in the middle of sending it.
func writing(database string, timeout time.Duration, fences ...Fence) []ch.Setting {
	seconds := strconv.Itoa(int(max(timeout, time.Second).Seconds()))
	return append([]ch.Setting{
		{Key: "log_comment", Value: tag(database, fences...), Important: true},
		{Key: "max_execution_time", Value: seconds, Important: true},
		{Key: "receive_timeout", Value: seconds, Important: true},
	}, clickhouse.Background...)
}

// writeUnder writes rows under a fence, in a time of its own.
func (l *Partition) writeUnder(ctx context.Context, f Fence, timeout time.Duration, name string, q ch.Query) error {
	q.Settings = writing(l.client.Database(), timeout, f)
	return l.unlessFenced(ctx, f, l.write(ctx, timeout, name, q))
}
