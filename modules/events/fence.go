package events

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// fence is the right to write one Kafka partition, until somebody takes the next one. ClickHouse
// refuses the rows of every other.
type fence struct {
	number uint64 // see NewFence
	token  uint64 // random: two who claim one number at the same time have different tokens
}

// NewFence is the number of the nth fence of a partition: the epoch, the partition and n, which
// counts from 1, in one number.
func NewFence(epoch, partition uint16, n uint32) uint64 {
	return uint64(epoch)<<48 | uint64(partition)<<32 | uint64(n)
}

func (f fence) epoch() uint16     { return uint16(f.number >> 48) }
func (f fence) partition() uint16 { return uint16(f.number >> 32) } //nolint:gosec // cut on purpose
func (f fence) count() uint32     { return uint32(f.number) }       //nolint:gosec // cut on purpose

// String is how a fence appears in logs and in the log_comment of statements.
func (f fence) String() string { return fmt.Sprintf("%d/%d#%d", f.epoch(), f.partition(), f.count()) }

// newToken is random and not zero.
func newToken() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}
