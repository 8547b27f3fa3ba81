package codec

import "time"

// DwellBucket is the bucket of a histogram that a dwell time falls in: 4 buckets for each doubling,
// so that a percentile read from them is at most 12 % off. The views compute the same in SQL.
func DwellBucket(millis uint32) uint8 {
	d := uint64(max(millis, 1))
	exponent := uint8(0)
	for d>>(exponent+1) != 0 {
		exponent++
	}
	return 4*exponent + uint8((4*d)>>exponent) - 4
}

// DwellBounds are the least dwell time of a bucket and the least of the next one.
func DwellBounds(bucket uint8) (from, to time.Duration) {
	bound := func(b int) time.Duration {
		return time.Duration(uint64(1)<<(b/4)*uint64(4+b%4)) * time.Millisecond / 4
	}
	return bound(int(bucket)), bound(int(bucket) + 1)
}
