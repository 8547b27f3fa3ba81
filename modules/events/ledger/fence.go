package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
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
func (f Fence) partition() uint16 { return uint16(f.Number >> 32) } //nolint:gosec // cut on purpose
func (f Fence) count() uint32     { return uint32(f.Number) }       //nolint:gosec // cut on purpose

// String is how a fence appears in logs and in the log_comment of statements.
func (f Fence) String() string { return fmt.Sprintf("%d/%d#%d", f.epoch(), f.partition(), f.count()) }

// NewToken is random and not zero.
func NewToken() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}
