package codec

import "encoding/binary"

// PartitionOf is where Kafka's own clients put a key: MurmurHash2 with Kafka's seed, without the
// sign. A record that stands elsewhere was written with another partitioner, and its copies would be
// too.
func PartitionOf(key []byte, partitions int32) int32 {
	return int32(murmur2(key)&0x7fffffff) % partitions
}

func murmur2(data []byte) uint32 {
	const m, r = 0x5bd1e995, 24
	h := uint32(0x9747b28c) ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := binary.LittleEndian.Uint32(data) * m
		k ^= k >> r
		h = h*m ^ k*m
	}
	if len(data) > 0 {
		var tail uint32
		for i := len(data) - 1; i >= 0; i-- {
			tail = tail<<8 | uint32(data[i])
		}
		h = (h ^ tail) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
