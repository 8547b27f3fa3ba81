package take

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersAreReadAsTheyWereWritten(t *testing.T) {
	b := binary.AppendUvarint(nil, math.MaxUint64)
	b = binary.AppendVarint(b, math.MinInt64)
	b = append(binary.LittleEndian.AppendUint32(append(b, 7), 1<<31), 2, 'x', 'y')
	from := From(b)
	require.Equal(t, uint64(math.MaxUint64), from.Uvarint())
	require.Equal(t, int64(math.MinInt64), from.Varint())
	require.Equal(t, byte(7), from.Byte())
	require.Equal(t, uint32(1<<31), from.Uint32())
	require.Equal(t, uint64(2), from.Count(1))
	require.Equal(t, "xy", string(from.Left))
	require.False(t, from.Bad)
}

func TestWhatIsMissingIsBadAndZero(t *testing.T) {
	tooLong := binary.AppendUvarint(nil, 5)
	for name, read := range map[string]func() (uint64, Bytes){
		"no number":     func() (uint64, Bytes) { b := From(nil); return b.Uvarint(), b },
		"half a number": func() (uint64, Bytes) { b := From([]byte{0x80}); return uint64(b.Varint()), b },
		"eleven bytes": func() (uint64, Bytes) {
			b := From([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
			return b.Uvarint(), b
		},
		"no byte":             func() (uint64, Bytes) { b := From(nil); return uint64(b.Byte()), b },
		"three bytes of four": func() (uint64, Bytes) { b := From([]byte{1, 2, 3}); return uint64(b.Uint32()), b },
		"more than there are": func() (uint64, Bytes) { b := From(tooLong); return b.Count(1), b },
	} {
		value, left := read()
		require.Zero(t, value, name)
		require.True(t, left.Bad, name)
	}
}
